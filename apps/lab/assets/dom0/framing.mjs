// How the lab and its agent in dom0 speak: frames over a byte stream, the same code at both ends.
//
//   "XPT1" | u32 length of the head | u32 length of the body | head: JSON, UTF-8 | body: bytes        (little-endian)

const magic = 0x31545058;
const prefixBytes = 12;
/** No frame is larger: a length beyond it means that the two ends have lost each other. */
export const maxFrameBytes = 4 * 1024 * 1024;

/** One frame's bytes. */
export function encodeFrame(head, body = new Uint8Array()) {
  const json = Buffer.from(JSON.stringify(head));
  if (json.length + body.length > maxFrameBytes) {
    throw new RangeError(`A frame of ${json.length + body.length} bytes is larger than ${maxFrameBytes}.`);
  }
  const frame = Buffer.allocUnsafe(prefixBytes + json.length + body.length);
  frame.writeUInt32LE(magic, 0);
  frame.writeUInt32LE(json.length, 4);
  frame.writeUInt32LE(body.length, 8);
  json.copy(frame, prefixBytes);
  frame.set(body, prefixBytes + json.length);
  return frame;
}

/** Takes a stream's chunks however they are cut and yields whole frames. Throws where they are no frames. */
export class FrameDecoder {
  #chunks = [];
  #length = 0;

  *push(chunk) {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= prefixBytes) {
      const prefix = this.#peek(prefixBytes);
      if (prefix.readUInt32LE(0) !== magic) throw new Error('The stream holds something that is not a frame.');
      const headBytes = prefix.readUInt32LE(4);
      const bodyBytes = prefix.readUInt32LE(8);
      if (headBytes + bodyBytes > maxFrameBytes) throw new RangeError('A frame announces an impossible length.');
      const total = prefixBytes + headBytes + bodyBytes;
      if (this.#length < total) return;
      const frame = this.#peek(total);
      this.#chunks = [this.#chunks[0].subarray(total)];
      this.#length -= total;
      const head = JSON.parse(frame.toString('utf8', prefixBytes, prefixBytes + headBytes));
      yield { head, body: frame.subarray(prefixBytes + headBytes, total) };
    }
  }

  #peek(length) {
    if (this.#chunks[0].length < length) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0].subarray(0, length);
  }
}
