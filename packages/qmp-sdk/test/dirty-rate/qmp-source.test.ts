import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type DirtySample,
  measureDirtyRate,
  openQmpSource,
  type QmpDirtyRateMode,
  type QmpExecutor,
  summarise,
} from '../../src/dirty-rate/index.js';
import { hasQemu, Qemu } from '../support/qemu.js';

type Answer = (args: Record<string, unknown>) => unknown;

/** A QEMU of a few commands; what it does not know it refuses. */
function fakeClient(answers: Record<string, Answer>, version = { major: 8, minor: 2 }) {
  const sent: [string, Record<string, unknown>][] = [];
  let closed = 0;
  const all: Record<string, Answer> = {
    'query-memory-size-summary': () => ({ 'base-memory': 2 ** 28, 'plugged-memory': 2 ** 27 }),
    'query-kvm': () => ({ enabled: false, present: true }),
    'query-migrate': () => ({}),
    'calc-dirty-rate': () => ({}),
    'query-dirty-rate': () => ({ status: 'measured', 'dirty-rate': 3 }),
    ...answers,
  };
  const client: QmpExecutor = {
    greeting: { version: { qemu: version } },
    raw: <R>(command: string, args: Record<string, unknown> = {}) =>
      new Promise<R>((resolve) => {
        sent.push([command, args]);
        resolve((all[command] ?? refuse(command))(args) as R);
      }),
    close: () => Promise.resolve(void (closed += 1)),
  };
  return { client, sent, closed: () => closed };
}

function refuse(command: string): Answer {
  return () => {
    throw new Error(`The command ${command} has not been found`);
  };
}

const open = (client: QmpExecutor, mode?: QmpDirtyRateMode) =>
  openQmpSource(client, { description: 'vm', ...(mode ? { mode } : {}) });

describe('calc-dirty-rate', () => {
  it('without KVM samples pages, as many as every version takes, and counts MiB', async () => {
    const { client, sent, closed } = fakeClient({});
    const source = await open(client);
    expect(source).toMatchObject({ description: 'vm (page-sampling)', pageCount: 98_304, windowStepMs: 1 });
    expect(await source.measure(60)).toEqual({ pages: 3 * 256 * 0.06, elapsedMs: 60 });
    expect(sent.find(([command]) => command === 'calc-dirty-rate')?.[1]).toEqual({
      'calc-time': 60,
      'calc-time-unit': 'millisecond',
      mode: 'page-sampling',
      'sample-pages': 10_923,
    });
    await source.close();
    expect(closed()).toBe(1);
  });

  it('with KVM counts its dirty bitmap; whole seconds before QEMU 8.2', async () => {
    const { client, sent } = fakeClient({ 'query-kvm': () => ({ enabled: true }) }, { major: 7, minor: 2 });
    const source = await open(client);
    expect(source.windowStepMs).toBe(1000);
    await source.measure(1000);
    const args = sent.find(([command]) => command === 'calc-dirty-rate')?.[1];
    expect(args).toEqual({ 'calc-time': 1, mode: 'dirty-bitmap' });
  });

  it('waits until QEMU has counted, and adds up what it says of each vCPU', async () => {
    const states = [
      { status: 'measuring' },
      { status: 'measured', 'vcpu-dirty-rate': [{ 'dirty-rate': 1 }, { 'dirty-rate': 4 }] },
    ];
    const { client } = fakeClient({ 'query-dirty-rate': () => states.shift() });
    expect(await (await open(client, 'dirty-ring')).measure(50)).toEqual({ pages: 64, elapsedMs: 50 });
  });

  it('says which mode was refused, and why', async () => {
    const { client } = fakeClient({ 'calc-dirty-rate': refuse('calc-dirty-rate') });
    const failing = (await open(client, 'dirty-ring')).measure(50);
    await expect(failing).rejects.toMatchObject({
      code: 'DIRTY_RATE_UNSUPPORTED',
      cause: expect.objectContaining({ message: expect.stringMatching(/not been found/) as string }) as Error,
    });
  });

  it('does not report 0 for a guest that QEMU leaves out', async () => {
    const { client } = fakeClient({ 'query-memory-size-summary': () => ({ 'base-memory': 2 ** 26 }) });
    await expect(open(client)).rejects.toThrow(/below 128 MiB, and the guest has 64 MiB/);
    expect((await open(client, 'dirty-bitmap')).pageCount).toBe(16_384);
  });
});

describe('beside a running migration', () => {
  const ram = {
    transferred: 1000,
    remaining: 500,
    mbps: 80,
    'dirty-pages-rate': 1234,
    'dirty-sync-count': 3,
  };

  it('reads its counters and measures nothing of its own', async () => {
    const { client, sent } = fakeClient({ 'query-migrate': () => ({ status: 'active', ram }) });
    const source = await open(client);
    expect(await source.measure(500)).toEqual({
      pages: 617,
      elapsedMs: 500,
      migration: { syncCount: 3, transferredBytes: 1000, remainingBytes: 500, throughputBytesPerSecond: 1e7 },
    });
    expect(sent.map(([command]) => command)).not.toContain('calc-dirty-rate');
  });

  it('ends when the guest has gone', async () => {
    const states = [{ status: 'active', ram }, { status: 'completed', ram }, { status: 'completed' }];
    const { client } = fakeClient({ 'query-migrate': () => states.shift() });
    const source = await open(client);
    expect(await source.measure(50)).toBeNull();
    expect(await source.measure(50)).toBeNull();
  });
});

/**
 * A boot sector that adds 1 to the first word of each page from 16 to 144 MiB, for ever:
 * cli; xor ax,ax; mov ds,ax; lgdt [gdtr]; mov eax,cr0; or al,1; mov cr0,eax; jmp 8:pm;
 * pm: mov ax,16; mov ds,ax; outer: mov edi,0x1000000; inner: inc dword [edi]; add edi,4096; cmp edi,0x9000000;
 * jb inner; jmp outer; gdt: flat code and data; gdtr.
 */
const writerCode =
  'fa31c08ed80f0116507c0f20c00c010f22c0ea177c080066b810008ed8bf' +
  '00000001ff0781c70010000081ff0000000972f0ebe98d74260000000000' +
  '00000000ffff0000009acf00ffff00000092cf001700387c0000';
const WRITER_MIB = 128;

describe.runIf(hasQemu)('a real QEMU whose guest writes 128 MiB again and again', () => {
  async function startWriter(): Promise<Qemu> {
    // The firmware boots no disk of a single sector.
    const sector = Buffer.alloc(2 ** 20);
    Buffer.from(writerCode, 'hex').copy(sector);
    sector.writeUInt16LE(0xaa55, 510);
    const disk = '-drive file={}/disk,format=raw,if=ide,snapshot=on';
    const qemu = new Qemu(['-machine', 'q35', '-m', '256', '-S', ...disk.split(' ')]);
    writeFileSync(join(qemu.folder, 'disk'), sector);
    return Promise.resolve(qemu);
  }

  async function measure(source: Awaited<ReturnType<typeof open>>, samples: number): Promise<DirtySample[]> {
    const all = [];
    for await (const sample of measureDirtyRate(source, { intervalMs: 1000, samples })) all.push(sample);
    return all;
  }

  it('is measured, and so are the counters of its migration', async () => {
    await using qemu = await startWriter();
    await using client = await qemu.connect();
    await client.raw('cont');
    const source = await open(client);
    expect(source.memoryPages).toBe(65_536);
    // The firmware has to load the sector first.
    let samples: DirtySample[] = [];
    for (let tries = 0; tries < 30 && !samples.some(({ pages }) => pages > 16_384); tries++) {
      samples = await measure(source, 1);
    }
    samples = await measure(source, 5);
    const { profile } = summarise(samples, source);
    const mib = samples.map(({ pagesPerSecond }) => (pagesPerSecond * 4096) / 2 ** 20);
    // Sampling 4096 of 65,536 pages: the share of dirty ones has a standard deviation of 0.8 %. A machine that stalls
    // makes QEMU's second longer, and its rate smaller; never greater.
    expect(Math.max(...mib)).toBeGreaterThan(WRITER_MIB * 0.9);
    expect(Math.max(...mib)).toBeLessThan(WRITER_MIB * 1.1);
    const four = profile.windows.find(({ windowMs }) => windowMs === 4000);
    // The same pages again: four seconds dirty no more than one.
    expect(((four?.pages ?? 0) * 4096) / 2 ** 20).toBeLessThan(WRITER_MIB * 1.15);

    await client.raw('migrate-set-parameters', { 'max-bandwidth': 40 * 2 ** 20 });
    await client.raw('migrate', { uri: 'exec:cat >/dev/null' });
    const counted = await measure(source, 8);
    const last = counted.at(-1)?.migration;
    expect(last?.transferredBytes).toBeGreaterThan(2 ** 20);
    expect(last?.remainingBytes).toBeGreaterThan(0);
    await client.raw('migrate_cancel');
  });
});
