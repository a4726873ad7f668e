import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { LabError } from '../errors.js';
import { findProfile } from '../profile.js';
import { createGuestForQemu, createGuestForXenpt, guestName, runModel, type ModelReport } from './models.js';
import { releasedWithin } from './release.js';
import { setTheScene, type Setting } from './setting.js';
import { readXenLedger } from './xen-ledger.js';

/** The main job, told to a person: `npm start`. */
const defaultProfile = 'xen-4.20';
const tarballs = fileURLToPath(new URL('../../../build/tarballs', import.meta.url));

/** One step of the story: said before, timed after. */
async function tell<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  process.stdout.write(`▸ ${title}\n`);
  const result = await work();
  process.stdout.write(`  ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  return result;
}

/** Shows a command of dom0 and what it printed. */
async function show({ lab }: Setting, command: string): Promise<string> {
  process.stdout.write(`  dom0# ${command}\n`);
  const output = await lab.run(command, { timeoutMs: 180_000 });
  process.stdout.write(output.replace(/^(?=.)/gm, '    ').trimEnd() + '\n');
  return output;
}

async function story(profile: string): Promise<void> {
  const setting = await tell(`A Xen host with an IOMMU: ${profile}, under QEMU; xenpt installed in its dom0`, () =>
    setTheScene({ profile, tarballs, onProgress: ({ step }) => process.stdout.write(`  … ${step}\n`) }),
  );
  try {
    const ours = await withOurModel(setting);
    await tell('The card goes back to dom0’s driver', () => show(setting, `xenpt assignable remove ${setting.sbdf}`));
    const theirs = await withQemusModel(setting);
    process.stdout.write(`\n${closingTable([ours, theirs])}\n`);
    const sound = [ours, theirs].every(
      ({ card }) => card.sha256 === setting.payload.sha256 && card.pings.received > 0,
    );
    if (!sound) throw new Error('a packet or the file did not come through as it was sent; see the table');
  } finally {
    await setting.close();
  }
}

async function withOurModel(setting: Setting): Promise<ModelReport> {
  const { lab, sbdf } = setting;
  const baseline = await tell('The operator looks at the host, and takes the card from dom0', async () => {
    await show(setting, 'xenpt list');
    await show(setting, `xenpt assignable add ${sbdf}`);
    return readXenLedger(lab, sbdf);
  });
  const guest = await tell('A guest is created, paused, and given the card', async () => {
    const created = await createGuestForXenpt(setting);
    await show(setting, `xenpt attach ${guestName} ${sbdf}`);
    await show(setting, `xl pci-list ${guestName}`);
    return created;
  });
  const report = await tell('The guest starts; its own e1000e driver drives the card, pings, fetches 4 MiB', () =>
    runModel(setting, guest, 'xenpt'),
  );
  await tell('What the guest sees, beside what the host has', () =>
    show(setting, `xenpt guest-view ${guestName} ${sbdf}`),
  );
  await tell('The guest is destroyed; nothing of it stays', async () => {
    await guest.destroy();
    await releasedWithin(lab, guest.domid, 60_000);
    const after = await readXenLedger(lab, sbdf);
    if (after.owner !== baseline.owner || after.messageInterrupts.length > 0) {
      throw new Error(`Xen still says: owner ${String(after.owner)}, interrupts ${after.messageInterrupts.join()}`);
    }
    process.stdout.write(`    Xen: the card belongs to ${String(after.owner)} again, with no interrupt left\n`);
  });
  return report;
}

async function withQemusModel(setting: Setting): Promise<ModelReport> {
  const { lab, sbdf } = setting;
  return tell('The same guest with QEMU’s model, for comparison', async () => {
    await lab.run(`xl pci-assignable-add ${sbdf}`);
    const guest = await createGuestForQemu(setting);
    const report = await runModel(setting, guest, 'QEMU');
    await guest.destroy();
    return report;
  });
}

function closingTable(reports: readonly ModelReport[]): string {
  const head = ['', ...reports.map(({ model }) => `${model}'s model`)];
  const table = new Table({ head, style: { head: [], border: [] } });
  const row = (title: string, value: (report: ModelReport) => string) => table.push([title, ...reports.map(value)]);
  row('unpause to the guest’s shell', ({ secondsToShell }) => `${secondsToShell.toFixed(1)} s`);
  row('BAR map / unmap rounds', ({ mapRounds }) => `${mapRounds.added} / ${mapRounds.removed}`);
  // `xen-pirq    -msi-x`, or `PCI-MSIX-0000:00:05.0   0-edge`: what follows a blank and a dash is its kind.
  const kindOf = (controller: string) => controller.replace(/^(\S+)(?:\s+-(\S+))?.*/, '$1 $2').trim();
  row('vectors', ({ card }) => card.interrupts.map(({ controller }) => kindOf(controller)).join('\n'));
  row('interrupts', ({ card }) => card.interrupts.map(({ name, count }) => `${name}: ${count}`).join('\n'));
  row('pings answered', ({ card }) => `${card.pings.received} of ${card.pings.sent}`);
  row('4 MiB by TFTP', ({ card }) => `${card.fetchSeconds.toFixed(1)} s, SHA-256 ${card.sha256.slice(0, 12)}…`);
  return table.toString();
}

const { values } = parseArgs({ options: { profile: { type: 'string', default: defaultProfile } } });
try {
  const started = performance.now();
  await story(findProfile(values.profile).name);
  process.stdout.write(`The whole story: ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
} catch (error) {
  process.stderr.write(`\n✗ ${error instanceof LabError ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
