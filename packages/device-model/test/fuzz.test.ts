import { expect, it } from 'vitest';
import { Dice } from './support/dice.js';
import { placeBars, recordedDevices } from './support/recorded.js';
import { cardName, makeRig, type Rig } from './support/rig.js';

// What a guest does with a whole function, from attach to detach, against the strict hypervisor: after every execution
// no rule is broken, no exception came up, no more than a few lines were logged, and nothing of it is left. Broken
// images are for the fuzzer of @xenpt/pci, which compares registers.

const executions = Number(process.env['XENPT_FUZZ_LIVES'] ?? 20_000);
const seed = Number(process.env['XENPT_FUZZ_SEED'] ?? 1);
const livesPerDevice = 16;
const stepsPerLife = 12;
/** Of one device, whatever its guest does. */
const mostReports = 16;

const values = [0, 1, 3, 7, 0x407, 0x8000, 0xc000, 0x00f1_0000, 0x8000_0000, 0xf000_0000, 0xfee0_1000, 0xffff_ffff];
const places = [0, 0x1000, 0x7fff_0000, 0xc000, 0xcf8, 0xfff0, 0xfebf_f000, 0xfee0_0000, 0xf000_0000, 0xf004_0000];

function step(dice: Dice, rig: Rig): void {
  const guest = rig.guest();
  const width = dice.of([1, 2, 4]);
  const value = dice.below(2) === 0 ? dice.of(values) : dice.word();
  switch (dice.below(8)) {
    case 0:
      return guest.command(dice.of([0, 2, 3, 7, 0x407, 0x403]));
    case 1:
      return guest.placeBar(dice.below(6), dice.of(places) + (dice.below(4) === 0 ? 4096 * dice.below(64) : 0));
    case 2:
      return void guest.readConfig(dice.below(0x110), dice.of([1, 2, 3, 4, 8]));
    case 3: {
      const bars = rig.model.view(cardName).bars.filter(({ guestAddress }) => guestAddress !== null);
      const base = bars.length === 0 ? 0n : (dice.of(bars).guestAddress ?? 0n);
      return guest.writeMemory(Number(base) + 4 * dice.below(64), value, dice.of([4, 4, 8, 2]));
    }
    default:
      return guest.writeConfig(width * dice.below(Math.floor(0x104 / width)), value, width);
  }
}

/** What must hold after every execution; the first that does not, in words. */
function broken(rig: Rig): string | null {
  if (rig.faults.length > 0) return `an exception: ${String(rig.faults[0])}`;
  if (rig.hypervisor.violations.length > 0) return `a rule: ${rig.hypervisor.violations.join('; ')}`;
  if (rig.reports.length > mostReports) return `${rig.reports.length} reports`;
  try {
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  } catch (error) {
    return `detach: ${String(error)}`;
  }
  return null;
}

/** One device after the other, each through some lives. */
function fuzz(dice: Dice): { done: number; findings: string[] } {
  const findings: string[] = [];
  let done = 0;
  while (done < executions && findings.length < 10) {
    const { name, image } = dice.of(recordedDevices);
    const rig = makeRig({ images: [image] });
    for (let life = 0; life < livesPerDevice && done < executions; life += 1) {
      done += 1;
      rig.attach();
      placeBars(rig, image.resources);
      for (let count = 0; count < stepsPerLife; count += 1) step(dice, rig);
      const what = broken(rig);
      if (what !== null) {
        findings.push(`execution ${done}, ${name}: ${what}`);
        break;
      }
      rig.device.writes.length = 0;
      rig.hypervisor.calls.length = 0;
    }
  }
  return { done, findings };
}

const title = `${executions} lives from seed ${seed}: no rule broken, no exception, nothing left`;

it(title, { timeout: 3_600_000 }, () => {
  const before = process.cpuUsage();
  const { done, findings } = fuzz(new Dice(seed));
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(
    `fuzz of lives: ${done} executions from seed ${seed} in ${((user + system) / 1e6).toFixed(1)} s of one core; ` +
      `${findings.length} findings\n`,
  );
  expect(findings).toEqual([]);
});
