import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { FunctionImage } from '@xenpt/pci';
import { expect, it } from 'vitest';
import { Dice } from './support/dice.js';
import { LifeDice } from './support/life-dice.js';
import { LifeJudge, type Execution, type Life } from './support/life.js';
import { recordedDevices } from './support/recorded.js';

// What guests do with whole functions, as recorded and as broken, from attach to detach, through the loop that answers
// requests, against strict hardware and a strict hypervisor. An execution is a sequence of requests on an image, after
// which the guest turns all off; what must hold after each is said in support/life.ts. Attach and detach come once in
// `executionsPerLife`.

const executions = Number(process.env['XENPT_FUZZ_LIVES'] ?? 1_000_000);
const seed = Number(process.env['XENPT_FUZZ_SEED'] ?? 1);
/** What finds faults that were put back must not keep what it finds. */
const isKept = process.env['XENPT_FUZZ_KEEP'] === '1';
const executionsPerLife = 64;
const enoughFindings = 10;

/** Lives in which something was found. */
const corpusFile = new URL('fixtures/fuzz-lives.jsonl', import.meta.url);
const lines = existsSync(corpusFile) ? readFileSync(corpusFile, 'utf8').split('\n').filter(Boolean) : [];
const kept = lines.map((line) => JSON.parse(line) as Life);

const nameOf = ({ name, place }: (typeof recordedDevices)[number], index: number) => `${name}, ${place} (${index})`;
const devices = new Map(recordedDevices.map((device, index) => [nameOf(device, index), device.image]));
const names = [...devices.keys()];

function imageOf({ device, patch }: Life): FunctionImage {
  const image = devices.get(device);
  if (image === undefined) throw new RangeError(`there is no recorded device "${device}"`);
  const config = Uint8Array.from(image.config);
  for (const [offset, byte] of patch) config[offset] = byte;
  return { ...image, config };
}

/** How many executions were lived, and what did not hold, in words. */
function live(life: Life, next: () => Execution | null): { done: number; broken: string | null } {
  const judge = LifeJudge.live(imageOf(life), life.barAccess, next);
  if (judge === null || typeof judge === 'string') return { done: 1, broken: judge };
  return { done: judge.done, broken: judge.broken };
}

function fuzz(dice: Dice): { done: number; lives: number; findings: string[]; found: Life[] } {
  const findings: string[] = [];
  const found: Life[] = [];
  let [done, lives] = [0, 0];
  while (done < executions && findings.length < enoughFindings) {
    const name = dice.of(names);
    const image = devices.get(name);
    if (image === undefined) break;
    const rolled = new LifeDice(dice, name, image, executionsPerLife);
    const { done: more, broken } = live(rolled.life, () => rolled.next());
    done += more;
    lives += 1;
    if (broken === null) continue;
    findings.push(`life ${lives} of ${name}, execution ${done}: ${broken}`);
    found.push(rolled.life);
  }
  return { done, lives, findings, found };
}

it('what was once found is not found again', () => {
  for (const [index, life] of kept.entries()) {
    const rest = [...life.executions];
    expect(live(life, () => rest.shift() ?? null).broken, `line ${index + 1}`).toBeNull();
  }
});

const title = `${executions} executions from seed ${seed}: no rule broken, no exception, nothing left`;

it(title, { timeout: 3_600_000 }, () => {
  const before = process.cpuUsage();
  const { done, lives, findings, found } = fuzz(new Dice(seed));
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(
    `fuzz of lives: ${done} executions in ${lives} lives from seed ${seed} in ` +
      `${((user + system) / 1e6).toFixed(1)} s of one core; ${findings.length} findings\n`,
  );
  if (isKept && found.length > 0)
    writeFileSync(corpusFile, [...lines, ...found.map((life) => JSON.stringify(life)), ''].join('\n'));
  expect(findings).toEqual([]);
  expect(done).toBeGreaterThanOrEqual(executions);
});
