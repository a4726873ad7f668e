// The oracle: entries as objects with named fields; an 8-byte access is two of 4.

interface Entry {
  addressLow: number;
  addressHigh: number;
  data: number;
  masked: boolean;
  changed: boolean;
}

const fields = ['addressLow', 'addressHigh', 'data', 'control'] as const;

export class MessageTableModel {
  readonly entries: Entry[];

  constructor(entryCount: number) {
    this.entries = Array.from({ length: entryCount }, () => ({
      addressLow: 0,
      addressHigh: 0,
      data: 0,
      masked: true,
      changed: false,
    }));
  }

  read(offset: number, size: number): [low: number, high: number] {
    if (!this.#accepts(offset, size)) return [0xffff_ffff, 0xffff_ffff];
    return [this.#readField(offset), size === 8 ? this.#readField(offset + 4) : 0];
  }

  write(offset: number, size: number, low: number, high: number): { index: number; flags: Set<string> } {
    const flags = new Set<string>();
    if (!this.#accepts(offset, size)) return { index: 0, flags };
    this.#writeField(offset, low, flags);
    if (size === 8) this.#writeField(offset + 4, high, flags);
    return { index: flags.size === 0 ? 0 : Math.floor(offset / 16), flags };
  }

  #accepts(offset: number, size: number): boolean {
    if (size !== 4 && size !== 8) return false;
    return (
      Number.isInteger(offset) && offset >= 0 && offset % size === 0 && offset + size <= this.entries.length * 16
    );
  }

  #readField(offset: number): number {
    const [entry, field] = this.#at(offset);
    return field === 'control' ? Number(entry.masked) : entry[field];
  }

  #writeField(offset: number, value: number, flags: Set<string>): void {
    const [entry, field] = this.#at(offset);
    if (field === 'data') flags.add('dataWritten');
    if (field === 'control') {
      const masked = value % 2 === 1;
      if (!masked) flags.add('unmasked');
      if (masked && !entry.masked) flags.add('masked');
      entry.masked = masked;
    } else if (entry[field] !== value) {
      entry[field] = value;
      entry.changed = true;
      flags.add('messageChanged');
    }
  }

  #at(offset: number): [Entry, (typeof fields)[number]] {
    const entry = this.entries[Math.floor(offset / 16)];
    const field = fields[(offset % 16) / 4];
    if (!entry || !field) throw new RangeError(`no field at ${offset}`);
    return [entry, field];
  }
}
