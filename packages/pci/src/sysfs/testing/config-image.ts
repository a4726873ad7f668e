/** What an invented configuration space says; everything left out is as after a power-on without the capability. */
export interface ConfigImageOptions {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly classCode: number;
  /** Makes it a bridge: header type 1. */
  readonly buses?: { readonly primary: number; readonly secondary: number; readonly subordinate: number };
  readonly multifunction?: boolean;
  /** Device/port type of PCI Express Base §7.5.3.2; left out: conventional PCI. */
  readonly expressType?: number;
  readonly functionLevelReset?: boolean;
  readonly noSoftReset?: boolean;
  readonly msiVectors?: number;
  readonly msix?: {
    readonly vectorCount: number;
    readonly table: { readonly bar: number; readonly offset: number };
    readonly pending: { readonly bar: number; readonly offset: number };
  };
  /** Control bits of Access Control Services; the capability offers 1fh. */
  readonly accessControl?: number;
  /** 64 bits. */
  readonly serialNumber?: bigint;
  /** Speed code and lanes: now, and at most. */
  readonly link?: {
    readonly speed: number;
    readonly width: number;
    readonly maxSpeed: number;
    readonly maxWidth: number;
  };
  readonly interruptPin?: number;
  /** Bytes that can be read: 64, 256 or 4096 (default). */
  readonly sizeBytes?: 64 | 256 | 4096;
}

/** A configuration space with the capabilities of `options`, at places of its own choice. */
export function configImage(options: ConfigImageOptions): Uint8Array {
  const view = new DataView(new ArrayBuffer(4096));
  view.setUint16(0, options.vendorId, true);
  view.setUint16(2, options.deviceId, true);
  view.setUint32(8, (options.classCode << 8) >>> 0, true);
  view.setUint8(0x0e, (options.buses === undefined ? 0 : 1) | (options.multifunction === true ? 0x80 : 0));
  view.setUint8(0x3d, options.interruptPin ?? 0);
  if (options.buses !== undefined) {
    const { primary, secondary, subordinate } = options.buses;
    for (const [index, bus] of [primary, secondary, subordinate].entries()) view.setUint8(0x18 + index, bus);
  }
  writeCapabilities(view, options);
  writeExtended(view, options);
  return new Uint8Array(view.buffer, 0, options.sizeBytes ?? 4096).slice();
}

function writeCapabilities(view: DataView, options: ConfigImageOptions): void {
  const { expressType, msix, msiVectors, noSoftReset } = options;
  const bodies: ((at: number) => void)[] = [];
  if (noSoftReset !== undefined) {
    bodies.push((at) => {
      view.setUint8(at, 0x01);
      view.setUint16(at + 2, 0x0003, true);
      view.setUint16(at + 4, noSoftReset ? 8 : 0, true);
    });
  }
  if (msiVectors !== undefined) {
    bodies.push((at) => {
      view.setUint8(at, 0x05);
      view.setUint16(at + 2, 0x0080 | (Math.log2(msiVectors) << 1), true);
    });
  }
  if (msix !== undefined) {
    bodies.push((at) => {
      view.setUint8(at, 0x11);
      view.setUint16(at + 2, msix.vectorCount - 1, true);
      view.setUint32(at + 4, msix.table.offset | msix.table.bar, true);
      view.setUint32(at + 8, msix.pending.offset | msix.pending.bar, true);
    });
  }
  if (expressType !== undefined) bodies.push((at) => writeExpress(view, at, expressType, options));
  let pointer = 0x34;
  for (const [index, body] of bodies.entries()) {
    const at = 0x40 + index * 0x20;
    view.setUint8(pointer, at);
    body(at);
    pointer = at + 1;
  }
  if (bodies.length > 0) view.setUint16(0x06, 0x0010, true);
}

function writeExpress(view: DataView, at: number, expressType: number, options: ConfigImageOptions): void {
  const { link, functionLevelReset } = options;
  view.setUint8(at, 0x10);
  view.setUint16(at + 2, (expressType << 4) | 2, true);
  view.setUint32(at + 4, functionLevelReset === true ? 1 << 28 : 0, true);
  if (link === undefined) return;
  view.setUint32(at + 0x0c, link.maxSpeed | (link.maxWidth << 4), true);
  view.setUint16(at + 0x12, link.speed | (link.width << 4), true);
}

function writeExtended(view: DataView, { serialNumber, accessControl }: ConfigImageOptions): void {
  const bodies: [id: number, write: (at: number) => void][] = [];
  if (serialNumber !== undefined) bodies.push([0x0003, (at) => view.setBigUint64(at + 4, serialNumber, true)]);
  if (accessControl !== undefined) {
    bodies.push([
      0x000d,
      (at) => {
        view.setUint16(at + 4, 0x1f, true);
        view.setUint16(at + 6, accessControl, true);
      },
    ]);
  }
  for (const [index, [id, write]] of bodies.entries()) {
    const at = 0x100 + index * 0x20;
    const next = index + 1 < bodies.length ? at + 0x20 : 0;
    view.setUint32(at, (id | (1 << 16) | (next << 20)) >>> 0, true);
    write(at);
  }
}
