// One JSON object a line. Rows of 16 bytes that are all zero are left out.

export function toRows(bytes) {
  const rows = {};
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = bytes.subarray(offset, offset + 16);
    if (row.some((byte) => byte !== 0)) rows[offset.toString(16).padStart(3, '0')] = Buffer.from(row).toString('hex');
  }
  return rows;
}

export function toBytes({ sizeBytes, rows }) {
  const bytes = new Uint8Array(sizeBytes);
  for (const [offset, hex] of Object.entries(rows)) bytes.set(Buffer.from(hex, 'hex'), Number.parseInt(offset, 16));
  return bytes;
}
