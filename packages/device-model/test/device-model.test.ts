import { afterEach, describe, expect, it } from 'vitest';
import { DeviceModel, type DeviceModelOptions, type WakeSource } from '../src/device-model.js';

const workerUrl = new URL('./support/scripted-worker.mjs', import.meta.url);

class FakeWake implements WakeSource {
  readonly port = 99;
  wakes = 0;
  closed = 0;

  wake(): void {
    if (this.closed > 0) throw new Error('closed');
    this.wakes += 1;
  }

  close(): void {
    this.closed += 1;
  }
}

/** What the scripted worker does for each domain. */
const domain = {
  ordinary: 1,
  cannotStart: 2,
  neverReady: 3,
  diesAtView: 4,
  silentAtView: 5,
  stopsIncomplete: 6,
  detachRefused: 7,
  neverEnds: 8,
  holdsRequest: 9,
} as const;

let started: DeviceModel[] = [];

afterEach(async () => {
  for (const model of started) await model.close().catch(() => {});
  started = [];
});

async function start(domid: number, rest: Partial<DeviceModelOptions> = {}) {
  const wake = new FakeWake();
  const model = await DeviceModel.start({ domid, vcpuCount: 1, workerUrl, wakeEvent: wake, ...rest });
  started.push(model);
  return { model, wake };
}

describe('DeviceModel', () => {
  it('passes calls to its thread and wakes it for each', async () => {
    const lines: string[] = [];
    const { model, wake } = await start(domain.ordinary, { onLog: (line) => lines.push(line) });
    expect(model.serverId).toBe(3);
    expect(lines).toEqual(['hello']);
    const request = { sbdf: '0000:01:00.0', guestDevfn: 40 };
    expect(await model.attach(request)).toEqual({ method: 'attach', argument: request });
    expect(await Promise.all([model.view('01:00.0'), model.expectEjects(1)])).toMatchObject([
      { method: 'view' },
      { method: 'expectEjects', argument: 1 },
    ]);
    expect(await model.detach('01:00.0')).toBe(undefined);
    expect(wake.wakes).toBe(4);
  });

  it('ends once, however often it is closed, and refuses calls afterwards', async () => {
    const { model, wake } = await start(domain.ordinary);
    await Promise.all([model.close(), model.close()]);
    await model.close();
    expect(await model.onExit).toEqual({ reason: 'closed', error: null });
    expect([wake.wakes, wake.closed]).toEqual([1, 1]);
    await expect(model.view('01:00.0')).rejects.toMatchObject({ code: 'DEVICE_MODEL_CLOSED' });
    expect(() => model.status()).toThrow(/is closed/);
  });

  it('says why it could not start', async () => {
    await expect(start(domain.cannotStart)).rejects.toMatchObject({
      code: 'DEVICE_MODEL_START_FAILED',
      message: 'device model of domain 2: no /dev/xen/privcmd',
      cause: { code: 'XEN_UNAVAILABLE' },
    });
  });

  it('does not wait for ever for a thread that is never ready', async () => {
    const wake = new FakeWake();
    await expect(start(domain.neverReady, { deadlineMs: 200, wakeEvent: wake })).rejects.toThrow(
      /no answer in 200 ms/,
    );
    expect(wake.closed).toBe(1);
  });

  it('rejects everything pending when its thread dies', async () => {
    const { model } = await start(domain.diesAtView);
    const results = await Promise.allSettled([model.view('01:00.0'), model.expectEjects(0)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await model.onExit).toMatchObject({ reason: 'failed', error: { message: 'a defect' } });
    await expect(model.view('01:00.0')).rejects.toMatchObject({ code: 'DEVICE_MODEL_WORKER_DIED' });
    await model.close();
  });

  it('gives up on a call at its deadline, and goes on with others', async () => {
    // Its thread has to start within the same deadline.
    const { model } = await start(domain.silentAtView, { deadlineMs: 2000 });
    await expect(model.view('01:00.0')).rejects.toMatchObject({ code: 'DEVICE_MODEL_DEADLINE' });
    expect(await model.expectEjects(0)).toMatchObject({ method: 'expectEjects' });
  });

  it('tells what its thread counts and is at, without asking it', async () => {
    const lines: string[] = [];
    const { model, wake } = await start(domain.holdsRequest, { onLog: (line) => lines.push(line) });
    while (model.status().waiting === null) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(model.status()).toMatchObject({
      requests: { config: 1, copy: 0 },
      effects: { mapBar: 1 },
      failedEffects: { mapBar: 0 },
      interrupts: { intx: 0, msi: 0, 'msi-x': 1 },
      deniedWrites: 1,
      devices: ['0000:01:00.0'],
      late: 0,
      waiting: { what: 'a write of 2 bytes at register 0x4 of 00:05.0 by vCPU 1', waitsFor: 'Xen: mapMemory' },
    });
    while (model.status().late === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(lines.join()).toMatch(/late: a write .* has had no answer for [2-9]\.\d s; it waits for Xen: mapMemory/);
    expect(wake.wakes).toBe(0);
  });

  it('hands on what is left when closing was incomplete, and has ended', async () => {
    const { model } = await start(domain.stopsIncomplete);
    await expect(model.close()).rejects.toMatchObject({
      code: 'DEVICE_MODEL_RELEASE_INCOMPLETE',
      left: ['pirq 16'],
    });
    expect(await model.onExit).toMatchObject({ reason: 'closed' });
  });

  it('keeps the code of an error that is not its own', async () => {
    const { model } = await start(domain.detachRefused);
    await expect(model.detach('01:00.0')).rejects.toMatchObject({ code: 'XEN_CALL_FAILED', message: 'ENODEV' });
  });

  it('tells the death of a domain from a close', async () => {
    const { model } = await start(domain.ordinary);
    await model.domainDied();
    expect(await model.onExit).toEqual({ reason: 'domain-died', error: null });
  });

  it('ends a thread that does not end by itself', async () => {
    const { model } = await start(domain.neverEnds, { deadlineMs: 3000 });
    await model.close();
    expect(await model.onExit).toMatchObject({ reason: 'closed' });
  });
});
