import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, maxFrameBytes } from '../../assets/dom0/framing.mjs';

function decodeAll(chunks: readonly Buffer[]) {
  const decoder = new FrameDecoder();
  return chunks.flatMap((chunk) => [...decoder.push(chunk)].map(({ head, body }) => ({ head, body: [...body] })));
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let offset = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return [...chunks, bytes.subarray(offset)];
}

describe('frames', () => {
  const frame = fc.record({
    head: fc.dictionary(fc.string(), fc.jsonValue()),
    body: fc.uint8Array({ maxLength: 300 }),
  });

  it('arrive whole and in order, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat({ max: 200 })), (frames, lengths) => {
        const stream = Buffer.concat(frames.map(({ head, body }) => encodeFrame(head, body)));
        const expected = frames.map(({ head, body }) => ({
          head: JSON.parse(JSON.stringify(head)) as unknown,
          body: [...body],
        }));
        expect(decodeAll(cut(stream, lengths))).toEqual(expected);
      }),
    );
  });

  it('refuse bytes that are no frame, and lengths that cannot be', () => {
    expect(() => decodeAll([Buffer.from('this is no frame')])).toThrow('not a frame');
    const huge = encodeFrame({});
    huge.writeUInt32LE(maxFrameBytes, 8);
    expect(() => decodeAll([huge])).toThrow('impossible length');
  });

  it('refuse to be written too large', () => {
    expect(() => encodeFrame({}, new Uint8Array(maxFrameBytes))).toThrow(RangeError);
  });
});
