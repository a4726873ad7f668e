/** The fields of an ioreq_t that a guest has a say in: whatever their values, it is a request. */
export type GuestRequest = readonly [
  type: number,
  flags: number,
  size: number,
  count: number,
  addressLow: number,
  addressHigh: number,
  dataLow: number,
  dataHigh: number,
];

export const readFlag = 0x20;
export const pointerFlag = 0x10;
export const descendingFlag = 0x40;

export const configType = 2;
export const memoryType = 1;

/** Where the fields are in the 32 bytes: see src/ioreq.ts. */
export function fillRequest(view: DataView, request: GuestRequest): void {
  const [type, flags, size, count, addressLow, addressHigh, dataLow, dataHigh] = request;
  view.setUint32(0, addressLow, true);
  view.setUint32(4, addressHigh, true);
  view.setUint32(8, dataLow, true);
  view.setUint32(12, dataHigh, true);
  view.setUint32(16, count, true);
  view.setUint32(20, size, true);
  view.setUint8(30, 1 | flags);
  view.setUint8(31, type);
}
