import type { ComparedDevice, Register } from './registers.js';
import type { Answered, Place, ProbeScript, WordPlan } from './script.js';

/** What a guest found out about one register by one kind of access. */
export interface Observation {
  readonly register: string;
  readonly offset: number;
  readonly access: string;
  readonly value: string;
}

/** The answers of `config-probe`, as numbers. Throws when the program did not come to the script's end. */
export function parseAnswers(text: string, { answerCount }: ProbeScript): number[] {
  const digits = /^((?:[0-9a-f]{8})*)!$/.exec(text.trim())?.[1];
  if (digits === undefined || digits.length !== 8 * answerCount) {
    throw new Error(`config-probe gave ${text.length} characters for ${answerCount} answers: ${text.slice(-80)}`);
  }
  return Array.from({ length: answerCount }, (_, index) =>
    Number.parseInt(digits.slice(8 * index, 8 * index + 8), 16),
  );
}

/** All that the script shows, register by register. */
export function observe(device: ComparedDevice, script: ProbeScript, answers: readonly number[]): Observation[] {
  const byWord = script.words.flatMap((plan) => {
    const registers = device.registers.filter(({ offset }) => offset >>> 2 === plan.offset >>> 2);
    return registers.flatMap((register) => observeRegister(register, plan, answers));
  });
  const unaligned = script.unaligned.map(({ offset, width, answer }) => ({
    register: 'unaligned',
    offset,
    access: `read, ${width}`,
    value: extreme(answers[answer] ?? 0, width),
  }));
  return [...byWord, ...unaligned];
}

function observeRegister(register: Register, plan: WordPlan, answers: readonly number[]): Observation[] {
  const own = maskOf(register);
  const at = (index: number) => answers[index] ?? 0;
  const show = (word: number) => `0x${hex((word & own) >>> shiftOf(register), 2 * register.width)}`;
  const observation = (access: string, value: string): Observation => {
    return { register: register.name, offset: register.offset, access, value };
  };
  const inWord = ({ offset, answer }: Answered) => (at(answer) << (8 * (offset & 3))) >>> 0;
  const initial = at(plan.initial);
  const written = (title: string, trials: readonly Answered[]) => [
    ...byWidth(trials, own, ({ answer }) => at(answer)).map(({ width, word }) =>
      observation(`${title}, ${width}`, show(word)),
    ),
    ...beside(trials, own, (answer) => at(answer) ^ initial).map((word) =>
      observation(`${title}, beside`, `changes ${show(word)}`),
    ),
  ];
  const alone = (title: string, words: readonly number[], background: number) => [
    observation(title, show(bitByBit(words))),
    ...strays(words, background, own).map((word) => observation(`${title}, other bits`, `changes ${show(word)}`)),
  ];
  const wholeWord = (trials: readonly Answered[]) => at(trials.find(({ width }) => width === 4)?.answer ?? -1);
  const single =
    plan.bitsSet.length === 0
      ? []
      : [
          ...alone('1 alone', plan.bitsSet.map(at), wholeWord(plan.zeros)),
          ...alone('0 alone', plan.bitsCleared.map(at), wholeWord(plan.ones)),
        ];
  return [
    ...byWidth(plan.reads, own, inWord).map(({ width, word }) => observation(`read, ${width}`, show(word))),
    ...written('1s', plan.ones),
    ...written('0s', plan.zeros),
    ...single,
    observation('restored', show(at(plan.restored))),
  ];
}

/** For each width the register's bits, each taken from the access that covered it. */
function byWidth(
  trials: readonly Answered[],
  own: number,
  wordOf: (trial: Answered) => number,
): { width: number; word: number }[] {
  const words = new Map<number, number>();
  for (const trial of trials) {
    const covered = maskOf(trial) & own;
    if (covered === 0) continue;
    words.set(trial.width, ((words.get(trial.width) ?? 0) | (wordOf(trial) & covered)) >>> 0);
  }
  return [...words].map(([width, word]) => ({ width, word }));
}

/** Bits of the register that an access changed which did not cover them. */
function beside(trials: readonly Answered[], own: number, changeOf: (answer: number) => number): number[] {
  const changed = trials.reduce((sum, trial) => sum | (changeOf(trial.answer) & own & ~maskOf(trial)), 0);
  return changed === 0 ? [] : [changed >>> 0];
}

/** Bit n as it was read after bit n alone was different. */
function bitByBit(words: readonly number[]): number {
  return words.reduce((sum, word, bit) => sum | (word & (1 << bit)), 0) >>> 0;
}

/** Bits that another bit's write changed. */
function strays(words: readonly number[], background: number, own: number): number[] {
  const changed = words.reduce((sum, word, bit) => sum | ((word ^ background) & ~(1 << bit) & own), 0);
  return changed === 0 ? [] : [changed >>> 0];
}

/** A value whose width does not matter, by name. */
function extreme(value: number, width: number): string {
  if (value === 0) return 'zeros';
  return value === 2 ** (8 * width) - 1 ? 'ones' : `0x${hex(value, 2 * width)}`;
}

function shiftOf({ offset }: Pick<Place, 'offset'>): number {
  return 8 * (offset & 3);
}

/** The bits of the word that a register or an access covers. */
function maskOf(place: Place | Register): number {
  const ones = place.width === 4 ? 0xffff_ffff : 2 ** (8 * place.width) - 1;
  return (ones << shiftOf(place)) >>> 0;
}

function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}
