import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeXen } from './support/fake-xen.js';
import { GuestSlots } from './support/guest-slots.js';

let fake: FakeXen;
let slots: GuestSlots;
beforeEach(async () => {
  fake = await FakeXen.create();
  slots = new GuestSlots(fake, { domid: 3, serverId: 2, vcpuCount: 2 });
});
afterEach(() => {
  slots.close();
  return fake.remove();
});

/** Opens one of everything in a worker and leaves it open; the main thread never loads the addon. */
const openEverything = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.packageUrl).then((xen) => {
    globalThis.kept = [
      xen.Control.open(), xen.DeviceModel.open(), xen.EventChannels.open(), xen.WakeEvent.open(),
      xen.IoreqPort.open({ domid: 3, serverId: 2, vcpuCount: 2, wakePort: 0 }),
    ];
    const memory = xen.ForeignMemory.open();
    globalThis.kept.push(memory, memory.mapResource(3, 0, 9, 0, 1), memory.map(3, [1n], true));
    globalThis.kept[6].buffer;
    const store = xen.Xenstore.open();
    store.watch('/a', 't', () => parentPort.postMessage('watching'));
  });`;

it.each(['terminate', 'exit'] as const)('survives a worker that ends by %s with everything open', async (how) => {
  const child = fake.start(
    async ({ Worker, packageUrl }, options) => {
      for (let round = 0; round < 3; round += 1) {
        const code =
          options.how === 'exit'
            ? options.code.replace("postMessage('watching')", 'close(), process.exit(0)')
            : options.code;
        const worker = new Worker(code, { eval: true, workerData: { packageUrl } });
        const ended = new Promise((resolve) => worker.on('exit', resolve));
        const failed = new Promise((_, reject) => worker.on('error', reject));
        if (options.how === 'terminate') {
          await Promise.race([failed, new Promise((resolve) => worker.on('message', resolve))]);
          await worker.terminate();
        }
        await Promise.race([ended, failed]);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    },
    { how, code: openEverything },
  );
  await child.result;
  expect(await child.exit).toEqual({ code: 0, signal: null, stderr: '' });
  const count = (call: string): number => fake.allCalls().filter((line) => line.startsWith(call)).length;
  for (const name of ['xenevtchn', 'xenforeignmemory', 'xendevicemodel', 'xs']) {
    expect(`${name} closed ${count(`${name}_close`)}`).toBe(`${name} closed ${count(`${name}_open`)}`);
  }
  expect(count('xc_interface_close')).toBe(3);
  expect(count('xenforeignmemory_unmap_resource')).toBe(6);
  expect(count('xenforeignmemory_unmap 1')).toBe(3);
  expect(count('xenevtchn_unbind')).toBe(6);
});

it('closes handles that nobody refers to, and keeps what somebody still uses', async () => {
  const result = await fake.run(async ({ xen }) => {
    const { gc } = globalThis as unknown as { gc: () => void };
    const collect = async (): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const open = (): Uint8Array => {
      xen.Control.open();
      xen.EventChannels.open();
      xen.IoreqPort.open({ domid: 3, serverId: 2, vcpuCount: 1, wakePort: 0 });
      const watching = xen.Xenstore.open();
      watching.watch('/a', 't', () => undefined);
      setTimeout(() => watching.close(), 400);
      return new Uint8Array(xen.ForeignMemory.open().mapResource(3, 0, 9, 0, 1).buffer);
    };
    const bytes = open();
    await collect();
    bytes[0] = 5;
    return bytes[0];
  }, null);
  expect(result).toBe(5);
  const calls = fake.allCalls();
  const before = calls.slice(0, calls.lastIndexOf('xs_close'));
  expect(before).toEqual(expect.arrayContaining(['xc_interface_close', 'xenevtchn_unbind 1040']));
  expect(before.filter((call) => call === 'xenevtchn_close')).toHaveLength(2);
});

it('unmaps what was collected', async () => {
  await fake.run(async ({ xen, ready }) => {
    const { gc } = globalThis as unknown as { gc: () => void };
    (() => new Uint8Array(xen.ForeignMemory.open().mapResource(3, 0, 9, 0, 1).buffer)[0])();
    for (let round = 0; round < 10; round += 1) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    ready();
    const events = xen.EventChannels.open(); // a mark in the log: all of this happened before the end of the process
    events.close();
  }, null);
  expect(fake.allCalls()).toEqual([
    'xenforeignmemory_open 0',
    'xenforeignmemory_map_resource 3 0 9 0 1 3 0',
    'xenforeignmemory_unmap_resource',
    'xenforeignmemory_close',
    'xenevtchn_open 0',
    'xenevtchn_close',
  ]);
});
