/** An expansion ROM of one image for each size in blocks of 512 bytes; each image's code is its number. */
export function expansionRom(...blocks: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(512 * blocks.reduce((sum, count) => sum + count, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const [index, count] of blocks.entries()) {
    bytes.fill(index + 1, offset, offset + 512 * count);
    view.setUint16(offset, 0xaa55, true);
    view.setUint16(offset + 0x18, 0x1c, true);
    view.setUint32(offset + 0x1c, 0x5249_4350, true);
    view.setUint16(offset + 0x20, 0x8086, true);
    view.setUint16(offset + 0x22, 0x10d3, true);
    view.setUint16(offset + 0x2c, count, true);
    view.setUint8(offset + 0x30, index === 0 ? 0 : 3);
    view.setUint8(offset + 0x31, index === blocks.length - 1 ? 0x80 : 0);
    offset += 512 * count;
  }
  return bytes;
}
