/** One image of 1536 bytes, its code counting up. */
export function romImage(): Uint8Array {
  const bytes = Uint8Array.from({ length: 1536 }, (_, index) => index & 0xff);
  const view = new DataView(bytes.buffer);
  view.setUint16(0x00, 0xaa55, true);
  view.setUint16(0x18, 0x40, true);
  view.setUint32(0x40, 0x5249_4350, true);
  view.setUint16(0x50, 3, true);
  view.setUint8(0x55, 0x80);
  return bytes;
}
