// A table of messages: who is to be told (address), what (data), and whether now (control, bit 0 = masked).
//
//   table ──▶ ┌─────────────┬──────────────┬──────┬─────────┐
//             │ entry count │ upper half   │ tag  │ (free)  │   header: upper half of the last read
//             ├─────────────┼──────────────┼──────┼─────────┤
//   entry 0   │ address low │ address high │ data │ control │   16 bytes, as the reader of the table sees them
//   entry 1   │ …           │              │      │         │
//             ├───┬───┬───┬─┴──────────────┴──────┴─────────┘
//   changed   │ 0 │ 1 │ … │   one byte an entry: a message word differs from what the host last committed
//             └───┴───┴───┘
//
// `offset`, `size` and the values of read and write are not trusted: both check them, in both builds.

const HEADER_BYTES: u32 = 16;
const ENTRY_BYTES: u32 = 16;
const ENTRY_SHIFT: u32 = 4;
const TAG: u32 = 0x4d53_4754;

const TABLE_ENTRY_COUNT: usize = 0;
const TABLE_READ_HIGH: usize = 4;
const TABLE_TAG: usize = 8;

const DATA: u32 = 8;
const CONTROL: usize = 12;
const CONTROL_MASKED: u32 = 1;

// The same numbers as MessageTableEvent in src/message-table.ts.
const EVENT_MESSAGE_CHANGED: u32 = 1;
const EVENT_MASKED: u32 = 2;
const EVENT_UNMASKED: u32 = 4;
const EVENT_DATA_WRITTEN: u32 = 8;
const EVENT_INDEX_SHIFT: u32 = 8;

const ALL_ONES: u32 = 0xffff_ffff;

export function messageTableStorageBytes(entryCount: u32): u32 {
  return HEADER_BYTES + entryCount * (ENTRY_BYTES + 1);
}

export function messageTableInitialize(table: usize, entryCount: u32): void {
  assert((table & 15) == 0, 'storage is 16-byte aligned');
  store<u32>(table, entryCount, TABLE_ENTRY_COUNT);
  store<u32>(table, TAG, TABLE_TAG);
  messageTableReset(table);
}

export function messageTableReset(table: usize): void {
  const count = entryCount(table);
  memory.fill(table + HEADER_BYTES, 0, <usize>(count * (ENTRY_BYTES + 1)));
  for (let index: u32 = 0; index < count; index++) {
    store<u32>(entryAt(table, index), CONTROL_MASKED, CONTROL);
  }
  store<u32>(table, 0, TABLE_READ_HIGH);
}

/** Returns the low 32 bits; the upper 32 of an 8-byte read are kept for `messageTableReadHigh`. */
export function messageTableRead(table: usize, offset: u32, size: u32): u32 {
  if (!isInside(table, offset, size)) {
    store<u32>(table, ALL_ONES, TABLE_READ_HIGH);
    return ALL_ONES;
  }
  const address = table + HEADER_BYTES + offset;
  store<u32>(table, size == 8 ? load<u32>(address, 4) : 0, TABLE_READ_HIGH);
  return load<u32>(address);
}

export function messageTableReadHigh(table: usize): u32 {
  assertTable(table);
  return load<u32>(table, TABLE_READ_HIGH);
}

/** Returns 0, or entry index << 8 | event flags. */
export function messageTableWrite(table: usize, offset: u32, size: u32, low: u32, high: u32): u32 {
  if (!isInside(table, offset, size)) return 0;
  let flags = writeWord(table, offset, low);
  if (size == 8) flags |= writeWord(table, offset + 4, high);
  return flags == 0 ? 0 : ((offset >> ENTRY_SHIFT) << EVENT_INDEX_SHIFT) | flags;
}

/** `word`: 0 address low, 1 address high, 2 data, 3 control. */
export function messageTableWord(table: usize, index: u32, word: u32): u32 {
  assert(word < 4, 'an entry has four words');
  return load<u32>(entryAt(table, index) + (word << 2));
}

export function messageTableIsChanged(table: usize, index: u32): bool {
  return load<u8>(changedAt(table, index)) != 0;
}

export function messageTableSetChanged(table: usize, index: u32, changed: bool): void {
  store<u8>(changedAt(table, index), changed ? 1 : 0);
}

function writeWord(table: usize, offset: u32, value: u32): u32 {
  const address = table + HEADER_BYTES + offset;
  const place = offset & (ENTRY_BYTES - 1);
  if (place == <u32>CONTROL) return writeControl(address, value & CONTROL_MASKED);
  // Data is written last: whoever acts on a masked entry acts when its message is whole.
  const written = place == DATA ? EVENT_DATA_WRITTEN : 0;
  if (load<u32>(address) == value) return written;
  store<u32>(address, value);
  store<u8>(changedAt(table, offset >> ENTRY_SHIFT), 1);
  return EVENT_MESSAGE_CHANGED | written;
}

/** Unmasking is reported even when nothing changes: the host retries what it could not deliver at the first one. */
function writeControl(address: usize, masked: u32): u32 {
  const before = load<u32>(address);
  store<u32>(address, masked);
  if (masked == 0) return EVENT_UNMASKED;
  return before == masked ? 0 : EVENT_MASKED;
}

function isInside(table: usize, offset: u32, size: u32): bool {
  if (size != 4 && size != 8) return false;
  return (offset & (size - 1)) == 0 && offset < entryCount(table) << ENTRY_SHIFT;
}

function entryCount(table: usize): u32 {
  assertTable(table);
  return load<u32>(table, TABLE_ENTRY_COUNT);
}

function entryAt(table: usize, index: u32): usize {
  if (!ASC_NO_ASSERT) assert(index < entryCount(table), 'entry index is inside the table');
  return table + HEADER_BYTES + (index << ENTRY_SHIFT);
}

function changedAt(table: usize, index: u32): usize {
  const count = entryCount(table);
  assert(index < count, 'entry index is inside the table');
  return table + HEADER_BYTES + (count << ENTRY_SHIFT) + index;
}

/** Without the condition the release build would keep the load. */
function assertTable(table: usize): void {
  if (!ASC_NO_ASSERT) assert(load<u32>(table, TABLE_TAG) == TAG, 'address is that of a message table');
}
