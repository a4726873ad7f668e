/** An ACPI table around `body`, with its length. */
export function acpiTable(signature: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(48 + body.length);
  bytes.set(new TextEncoder().encode(signature));
  new DataView(bytes.buffer).setUint32(4, bytes.length, true);
  bytes.set([38, 0x01], 36);
  bytes.set(body, 48);
  return bytes;
}

/** One RMRR with one scope, `steps` as device and function. */
export function rmrr(
  start: bigint,
  end: bigint,
  scope: { readonly type?: number; readonly segment?: number; readonly startBus: number; readonly steps: number[][] },
): Uint8Array {
  const path = scope.steps.flat();
  const bytes = new Uint8Array(24 + 6 + path.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1, true);
  view.setUint16(2, bytes.length, true);
  view.setUint16(6, scope.segment ?? 0, true);
  view.setBigUint64(8, start, true);
  view.setBigUint64(16, end, true);
  bytes.set([scope.type ?? 1, 6 + path.length, 0, 0, 0, scope.startBus, ...path], 24);
  return bytes;
}

/** One IVMD block. */
export function ivmd(type: number, first: number, last: number, start: bigint, sizeBytes: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setUint8(0, type);
  view.setUint16(2, 32, true);
  view.setUint16(4, first, true);
  view.setUint16(6, last, true);
  view.setBigUint64(16, start, true);
  view.setBigUint64(24, sizeBytes, true);
  return new Uint8Array(view.buffer);
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
