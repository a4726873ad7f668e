import { type ComparedDevice, type Register, isNamed } from './registers.js';

/** A place in a word that an access covers. */
export interface Place {
  readonly offset: number;
  readonly width: 1 | 2 | 4;
}

/** An access and the index of the answer that says what came of it. */
export interface Answered extends Place {
  readonly answer: number;
}

/** What the script does with one word. An answer is the whole word unless it is said otherwise. */
export interface WordPlan {
  readonly offset: number;
  readonly initial: number;
  /** The answer of each has its own width. */
  readonly reads: readonly Answered[];
  readonly ones: readonly Answered[];
  readonly zeros: readonly Answered[];
  /** Bit n alone is 1; bit n alone is 0. Empty where no register is known. */
  readonly bitsSet: readonly number[];
  readonly bitsCleared: readonly number[];
  readonly restored: number;
}

/** A program for `config-probe` (config-probe.c) and what its answers mean. */
export interface ProbeScript {
  readonly text: string;
  readonly answerCount: number;
  readonly words: readonly WordPlan[];
  /** Reads that a configuration cycle does not carry; the answers have their own width. */
  readonly unaligned: readonly Answered[];
}

const widths = [4, 2, 1] as const;
const command = 0x04;
const isBaseAddress = (offset: number) => (offset >= 0x10 && offset < 0x28) || offset === 0x30;

class Writer {
  readonly #lines: string[] = [];
  #answers = 0;

  get answerCount(): number {
    return this.#answers;
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  save(offset: number): number {
    this.#lines.push(`s${hex(offset, 2)}`);
    return this.#answers++;
  }

  read(offset: number, width: number): number {
    this.#lines.push(`r${hex(offset, 2)}${width}`);
    return this.#answers++;
  }

  write({ offset, width }: Place, value: number): void {
    this.#lines.push(`w${hex(offset, 2)}${width}${hex(value, 8)}`);
  }

  restore({ offset, width }: Place): void {
    this.#lines.push(`x${hex(offset, 2)}${width}`);
  }
}

/**
 * Every word of the function: read and written with all ones and all zeros in each width and lane, each bit of a known
 * register alone, and written back. What the accesses would do beside changing a register is kept harmless: BARs are
 * moved only while decode is off, MSI is enabled only with a message that has a place to go.
 */
export function buildScript(device: ComparedDevice): ProbeScript {
  const writer = new Writer();
  const offsets = Array.from({ length: 64 }, (_, word) => 4 * word);
  const saved = offsets.map((offset) => writer.save(offset));
  const words = offsets.map((offset, index) => {
    const undo = prepare(writer, device, offset);
    const isKnown = device.registers.some((one) => isNamed(one) && one.offset >>> 2 === index);
    const plan = probeWord(writer, offset, saved[index] ?? 0, isKnown);
    undo();
    return plan;
  });
  const unaligned = [0x01, 0x03, 0x05, 0x0d].flatMap((offset) =>
    [2, 4].map((width) => ({ offset, width, answer: writer.read(offset, width) }) as Answered),
  );
  return { text: writer.text, answerCount: writer.answerCount, words, unaligned };
}

/** Returns what takes it back. */
function prepare(writer: Writer, { registers }: ComparedDevice, offset: number): () => void {
  if (isBaseAddress(offset)) {
    const place: Place = { offset: command, width: 2 };
    writer.write(place, 0);
    return () => writer.restore(place);
  }
  const offsetOf = (name: string) => registers.find((one: Register) => one.name === name)?.offset ?? -1;
  if (offset === offsetOf('MSI ID')) {
    const address: Place = { offset: offsetOf('MSI address'), width: 4 };
    const data: Place = { offset: offsetOf('MSI data'), width: 2 };
    writer.write(address, 0xfee0_0000);
    writer.write(data, 0x0041);
    return () => [data, address].forEach((place) => writer.restore(place));
  }
  return () => undefined;
}

function probeWord(writer: Writer, offset: number, initial: number, isKnown: boolean): WordPlan {
  const places = widths.flatMap((width) => lanes(offset, width));
  const whole: Place = { offset, width: 4 };
  const reads = places.map((place) => ({ ...place, answer: writer.read(place.offset, place.width) }));
  const trial = (value: number) => (place: Place) => {
    writer.write(place, value);
    return { ...place, answer: writer.read(offset, 4) };
  };
  const ones: Answered[] = [];
  const zeros: Answered[] = [];
  for (const place of isKnown ? places : [whole]) {
    ones.push(trial(0xffff_ffff)(place));
    zeros.push(trial(0)(place));
    writer.restore(whole);
  }
  const bits = isKnown ? Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0) : [];
  const bitsSet = bits.map((bit) => trial(bit)(whole).answer);
  const bitsCleared = bits.map((bit) => trial(~bit >>> 0)(whole).answer);
  writer.restore(whole);
  return { offset, initial, reads, ones, zeros, bitsSet, bitsCleared, restored: writer.read(offset, 4) };
}

/** The places of a width in a word. */
export function lanes(offset: number, width: 1 | 2 | 4): Place[] {
  return Array.from({ length: 4 / width }, (_, lane) => ({ offset: offset + lane * width, width }));
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
