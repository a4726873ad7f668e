import { Core, RegisterFile } from '@xenpt/core-wasm';

import { PciError, buildGuestView } from '../../src/index.js';
import {
  type Access,
  type FuzzCase,
  type Subject,
  changedAccesses,
  changedSubject,
  imageOf,
  newAccesses,
  newSubject,
} from './cases.js';
import type { BitModel } from './bits.js';
import type { Place } from './capabilities.js';
import { Coverage, Effect } from './coverage.js';
import { Dice } from './dice.js';
import { judge } from './oracle.js';

const words = 64;

/**
 * Engine and oracle side by side on one image after the other. Each execution starts as at attach and is judged by
 * what must hold whatever a guest does (the project's invariants of every execution):
 * - the device is given no byte, and no bit, but those that the oracle gives it;
 * - every bit of an answer is the device's or ours, and of an access that no bus carries, 1;
 * - every access ends, without an exception;
 * - a reset leaves nothing of the guest behind;
 * - nothing is allocated.
 */
export class Judge {
  readonly coverage = new Coverage();
  readonly #core = new Core();
  readonly #file = new RegisterFile(this.#core, 4 * words);
  readonly #device = new Uint8Array(4 * words);
  readonly #attached = new Uint8Array(4 * words);
  readonly #shadows = new Uint32Array(words);
  #model: BitModel | null = null;
  #memoryBytes = 0;

  /** Whether the image that was opened last is one that a guest gets nothing of. */
  get isRefused(): boolean {
    return this.#model === null;
  }

  /** Builds the view of an image. What differs from the oracle, in words; null when nothing does. */
  open(subject: Subject): string | null {
    const image = imageOf(subject);
    const judgement = judge(image, subject.options);
    this.#model = null;
    try {
      for (const { index, rule } of buildGuestView(image, subject.options).words) this.#file.define(index, rule);
    } catch (error) {
      if (!(error instanceof PciError)) return `threw ${String(error)}`;
      this.coverage.meet(0, 0, 0, Effect.refused);
      return judgement.refused ? null : `only the engine refuses: ${error.message}`;
    }
    if (judgement.refused) return 'only the oracle refuses';
    this.#model = judgement.model;
    this.#groupOf(judgement.visible);
    this.#attached.fill(0xff).set(image.config.subarray(0, 4 * words));
    for (let index = 0; index < words; index += 1) this.#shadows[index] = this.#file.shadow(index);
    this.#memoryBytes = this.#core.memory.buffer.byteLength;
    return null;
  }

  /** One execution on the image that is open; on a refused one nothing can be done. */
  run(accesses: readonly Access[]): string | null {
    const model = this.#model;
    if (model === null) return null;
    this.#device.set(this.#attached);
    model.forget();
    for (const [index, access] of accesses.entries()) {
      const difference = this.#step(model, access);
      if (difference !== null) return `access ${index} (${access.join(' ')}): ${difference}`;
    }
    this.#file.reset();
    for (let index = 0; index < words; index += 1) {
      if (this.#file.shadow(index) !== this.#shadows[index]) return `word ${index} is not as at attach after a reset`;
    }
    return this.#core.memory.buffer.byteLength === this.#memoryBytes ? null : 'memory grew';
  }

  #step(model: BitModel, [offset, width, value]: Access): string | null {
    const file = this.#file;
    const device = this.#device;
    let hardware = 0;
    for (let lane = Math.min(width, 4) - 1; lane >= 0; lane -= 1) {
      hardware = hardware * 256 + (device[offset + lane] ?? 0xff);
    }
    if (value < 0) {
      const engine = file.read(offset, width, hardware);
      const oracle = model.read(offset, width, device);
      this.#meet(offset, width, file.needsHardwareToRead(offset, width) ? Effect.readDevice : Effect.readOurs);
      return engine === oracle ? null : `the engine reads ${engine.toString(16)}, the oracle ${oracle.toString(16)}`;
    }
    const changed = file.write(offset, width, value, hardware);
    model.write(offset, width, value, device);
    const enables = file.hardwareByteEnables;
    this.#meet(offset, width, Effect.wrote + (changed === 0 ? 0 : 1) + (enables === 0 ? 0 : 2));
    const word = offset - (offset % 4);
    for (let lane = 0; lane < 4; lane += 1) {
      const engine = (enables >>> lane) % 2 === 1 ? (file.hardwareValue >>> (8 * lane)) & 0xff : -1;
      const oracle = model.given[word + lane] ?? -1;
      if (engine !== oracle) return `byte ${word + lane}: the engine gives ${engine}, the oracle ${oracle}`;
      if (oracle >= 0) device[word + lane] = oracle;
    }
    return null;
  }

  /** Per byte: the capability that it is in, by id + 1, and where in it; the header is 0. */
  readonly #groups = new Uint8Array(4 * words);
  readonly #starts = new Uint8Array(4 * words);

  #groupOf(visible: readonly Place[]): void {
    this.#groups.fill(Coverage.gap).fill(0, 0, 64);
    this.#starts.fill(0);
    for (const { id, at, sizeBytes } of visible) {
      this.#groups.fill(id + 1, at, at + sizeBytes);
      this.#starts.fill(at, at, at + sizeBytes);
    }
  }

  #meet(offset: number, width: number, effect: Effect): void {
    const isInside = offset < 4 * words;
    const group = isInside ? (this.#groups[offset] ?? 0) : Coverage.outside;
    // Of what no bus carries one offset is as good as another.
    const isCarried = offset % width === 0 && (width === 1 || width === 2 || width === 4);
    const within = isInside && isCarried && group !== Coverage.gap ? offset - (this.#starts[offset] ?? 0) : 0;
    this.coverage.meet(group, within, width, effect);
  }
}

/** What a run of the fuzzer came to. */
export interface FuzzRun {
  readonly executions: number;
  readonly findings: readonly { readonly what: string; readonly found: FuzzCase }[];
  /** Cases that together reach all that was reached. */
  readonly corpus: readonly FuzzCase[];
  readonly coverage: number;
}

const executionsPerSubject = 16;
const enoughFindings = 10;
const largestCorpus = 2000;

/**
 * Runs `executions` cases: each image is opened once and lives through many sequences. A case that reaches something
 * new joins the corpus; half of all images and sequences are changed ones of the corpus.
 */
export function fuzz(executions: number, seed: number, kept: readonly FuzzCase[]): FuzzRun {
  const dice = new Dice(seed);
  const judgeOfAll = new Judge();
  const corpus: FuzzCase[] = [];
  const findings: { what: string; found: FuzzCase }[] = [];
  let done = 0;
  const execute = (subject: Subject, accesses: readonly Access[], opening: string | null): void => {
    const before = judgeOfAll.coverage.size;
    const what = opening ?? judgeOfAll.run(accesses);
    done += 1;
    if (what !== null) findings.push({ what: `execution ${done}: ${what}`, found: { ...subject, accesses } });
    if (judgeOfAll.coverage.size > before && corpus.length < largestCorpus) corpus.push({ ...subject, accesses });
  };
  for (const one of kept) execute(one, one.accesses, judgeOfAll.open(one));
  while (done < executions && findings.length < enoughFindings) {
    const parent = corpus.length > 0 && dice.below(2) === 0 ? dice.of(corpus) : null;
    const subject = parent === null ? newSubject(dice) : changedSubject(dice, parent);
    const pointer = subject.patch.findLast(([offset]) => offset === 0x34)?.[1] ?? 0x40;
    const opening = judgeOfAll.open(subject);
    for (let round = 0; round < executionsPerSubject && done < executions; round += 1) {
      const model = parent !== null && dice.below(2) === 0 ? parent.accesses : null;
      execute(subject, model ? changedAccesses(dice, model, pointer) : newAccesses(dice, pointer), opening);
      if (judgeOfAll.isRefused) break;
    }
  }
  return { executions: done, findings, corpus: needed(corpus), coverage: judgeOfAll.coverage.size };
}

/** As few as reach all that the corpus reaches: the latest first, since they build on the earlier. */
function needed(corpus: readonly FuzzCase[]): FuzzCase[] {
  const judgeOfAll = new Judge();
  return corpus.toReversed().filter((one) => {
    const before = judgeOfAll.coverage.size;
    judgeOfAll.open(one);
    judgeOfAll.run(one.accesses);
    return judgeOfAll.coverage.size > before;
  });
}
