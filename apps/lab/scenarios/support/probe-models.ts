import { gunzipSync, gzipSync } from 'node:zlib';
import { observe, parseAnswers, type Observation } from '../../src/config-view/observe.js';
import { comparedDevices, type ComparedDevice } from '../../src/config-view/registers.js';
import { buildScript } from '../../src/config-view/script.js';
import type { Guest } from '../../src/guest/guest.js';
import type { Lab } from '../../src/lab.js';
import { guestProgramScript } from './guest-program.js';

export type Model = 'QEMU' | 'xenpt';
export type DeviceKind = ComparedDevice['kind'];

/** What the same script of accesses shows in a guest, device by device. */
export type ModelObservations = ReadonlyMap<DeviceKind, readonly Observation[]>;

const guestName = 'view';
const probeTimeoutMs = 300_000;

/** Starts a guest with the three devices under one model, each in its slot and without a driver, and probes them. */
export async function probeModel(lab: Lab, model: Model): Promise<ModelObservations> {
  const places = comparedDevices.map(({ id, guestSlot }) => `${lab.sbdf(id)}@${guestSlot}`);
  const guest = await lab.createGuest({
    name: guestName,
    paused: true,
    modules: [],
    script: probeScripts(),
    ...(model === 'QEMU' ? { pci: places } : { passthrough: 'sync_pt' as const }),
  });
  try {
    if (model === 'xenpt') await attachAll(lab, places);
    await guest.unpause();
    await guest.waitUntilReady();
    const observations = new Map<DeviceKind, Observation[]>();
    for (const device of comparedDevices) observations.set(device.kind, await probe(guest, device));
    return observations;
  } finally {
    await guest.destroy();
  }
}

async function attachAll(lab: Lab, places: readonly string[]): Promise<void> {
  for (const place of places) await lab.run(`xenpt attach ${guestName} ${place}`, { timeoutMs: 180_000 });
}

async function probe(guest: Guest, device: ComparedDevice): Promise<Observation[]> {
  const devfn = (device.guestSlot << 3).toString(16).padStart(2, '0');
  // The answers repeat themselves, and the console is slow.
  const command = `config-probe ${devfn} </lab-${device.id} | gzip | base64`;
  const { output } = await guest.exec(command, { timeoutMs: probeTimeoutMs });
  const script = buildScript(device);
  const text = gunzipSync(Buffer.from(output, 'base64')).toString('latin1');
  return observe(device, script, parseAnswers(text, script));
}

/** The guest's script that puts the program and a script of accesses for each device into it. */
function probeScripts(): string {
  const scripts = comparedDevices.map((device) => {
    const encoded = gzipSync(buildScript(device).text).toString('base64');
    return `echo ${encoded} | base64 -d | gunzip >/lab-${device.id}`;
  });
  return [...guestProgramScript('config-probe'), ...scripts, ''].join('\n');
}
