import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ForeignGuestMemory } from '../src/guest-memory.js';
import { openXenServer } from '../src/xen-server.js';

const log: string[] = [];
let failing: string | null = null;

vi.mock('@xenpt/xen-bindings', async (original) => {
  const call = <T>(name: string, result: T) => {
    return (...values: unknown[]): T => {
      log.push(`${name}(${values.map((value) => JSON.stringify(value, bigints)).join(', ')})`);
      if (failing === name) throw new Error(`${name} refused`);
      return result;
    };
  };
  const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);
  const handle = (name: string, methods: Record<string, unknown>) => ({
    open: call(`${name}.open`, { ...methods, close: call(`${name}.close`, undefined) }),
  });
  const methods = (...names: string[]) => Object.fromEntries(names.map((name) => [name, call(name, undefined)]));
  return {
    ...(await original<object>()),
    Control: handle('Control', {
      ...methods(
        'memoryMapping',
        'ioportMapping',
        'unmapPirq',
        'bindPciIrq',
        'unbindPciIrq',
        'updateMsiIrq',
        'unbindMsiIrq',
      ),
      mapPirq: call('mapPirq', 16),
      mapPirqMsi: call('mapPirqMsi', 55),
      mapPirqMultiMsi: call('mapPirqMultiMsi', 48),
      xenVersion: () => ({ major: 4, minor: 20, extra: '.2', features: 1 << 20, commandLine: '' }),
    }),
    DeviceModel: handle('DeviceModel', {
      ...methods(
        'destroyIoreqServer',
        'setIoreqServerState',
        'mapPcidev',
        'unmapPcidev',
        'mapIoRange',
        'unmapIoRange',
      ),
      createIoreqServer: call('createIoreqServer', 2),
    }),
    ForeignMemory: handle('ForeignMemory', {
      mapResource: call('mapResource', { close: call('page.close', undefined) }),
    }),
    IoreqPort: handle('IoreqPort', {}),
  };
});

beforeEach(() => {
  log.length = 0;
  failing = null;
});

const options = { domid: 7, vcpuCount: 2, wakePort: 33 };

describe('openXenServer', () => {
  it('I7: has Xen make the page, without buffering, before it enables, and enables before it binds', () => {
    const server = openXenServer(options, { onCreated: () => {} });
    expect(server.serverId).toBe(2);
    expect(log).toEqual([
      'Control.open()',
      'DeviceModel.open()',
      'ForeignMemory.open()',
      'createIoreqServer(7, 0)',
      'mapResource(7, 0, 2, 1, 1)',
      'setIoreqServerState(7, 2, true)',
      'IoreqPort.open({"domid":7,"serverId":2,"vcpuCount":2,"wakePort":33})',
      'page.close()',
    ]);
    log.length = 0;
    server.disable();
    server.destroy();
    server.close();
    expect(log).toEqual([
      'setIoreqServerState(7, 2, false)',
      'destroyIoreqServer(7, 2)',
      'IoreqPort.close()',
      'ForeignMemory.close()',
      'DeviceModel.close()',
      'Control.close()',
    ]);
  });

  it('is noted before Xen sends it anything, and one that is left is taken up as it is', () => {
    openXenServer(options, { onCreated: (serverId) => log.push(`noted ${serverId}`) });
    expect(log.indexOf('noted 2')).toBe(log.indexOf('createIoreqServer(7, 0)') + 1);
    log.length = 0;
    failing = 'IoreqPort.open';
    expect(() => openXenServer(options, { left: 3 })).toThrow(/refused/);
    expect(log.filter((line) => /Server|Resource/.test(line))).toEqual([
      'mapResource(7, 0, 3, 1, 1)',
      'setIoreqServerState(7, 3, true)',
    ]);
  });

  it.each([
    ['Control.open', []],
    ['ForeignMemory.open', ['DeviceModel.close()', 'Control.close()']],
    ['createIoreqServer', ['ForeignMemory.close()', 'DeviceModel.close()', 'Control.close()']],
    ['mapResource', ['destroyIoreqServer(7, 2)', 'ForeignMemory.close()', 'DeviceModel.close()', 'Control.close()']],
    [
      'IoreqPort.open',
      ['page.close()', 'destroyIoreqServer(7, 2)', 'ForeignMemory.close()', 'DeviceModel.close()', 'Control.close()'],
    ],
  ])('leaves nothing behind when %s fails', (name, undone) => {
    failing = name;
    expect(() => openXenServer(options, { onCreated: () => {} })).toThrow(`${name} refused`);
    expect(log.slice(log.findIndex((line) => line.startsWith(`${name}(`)) + 1)).toEqual(undone);
  });

  it('I10: passes each call on with the domain, the server, and the arguments in the order of the library', () => {
    const { hypervisor } = openXenServer(options, { onCreated: () => {} });
    log.length = 0;
    hypervisor.claimFunction(40);
    hypervisor.releaseFunction(40);
    hypervisor.claimMemory(0xf000n, 0xffffn);
    hypervisor.releaseMemory(0xf000n, 0xffffn);
    hypervisor.claimPorts(0xc000, 0xc01f);
    hypervisor.releasePorts(0xc000, 0xc01f);
    hypervisor.mapMemory(1n, 2n, 3n);
    hypervisor.unmapMemory(1n, 2n, 3n);
    hypervisor.mapPorts(1, 2, 3);
    hypervisor.unmapPorts(1, 2, 3);
    expect(hypervisor.mapGsi(16)).toBe(16);
    const sbdf = { segment: 1, bus: 2, device: 3, function: 4 };
    expect(hypervisor.mapMsi({ sbdf, entry: 5, tableBase: 6n, pirq: -1, vectorCount: 1 })).toBe(55);
    expect(hypervisor.mapMsi({ sbdf, entry: 0, tableBase: 0n, pirq: -1, vectorCount: 8 })).toBe(48);
    hypervisor.unmapPirq(55);
    hypervisor.bindIntx(16, 5, 1);
    hypervisor.unbindIntx(16, 5, 1);
    hypervisor.bindMsi(55, 0x41, 0x1_0001, 0xf000n);
    hypervisor.unbindMsi(55, 0x41, 1);
    expect(log).toEqual([
      'mapPcidev(7, 2, 40)',
      'unmapPcidev(7, 2, 40)',
      'mapIoRange(7, 2, "mmio", "61440n", "65535n")',
      'unmapIoRange(7, 2, "mmio", "61440n", "65535n")',
      'mapIoRange(7, 2, "port", "49152n", "49183n")',
      'unmapIoRange(7, 2, "port", "49152n", "49183n")',
      'memoryMapping(7, "1n", "2n", "3n", true)',
      'memoryMapping(7, "1n", "2n", "3n", false)',
      'ioportMapping(7, 1, 2, 3, true)',
      'ioportMapping(7, 1, 2, 3, false)',
      'mapPirq(7, 16)',
      'mapPirqMsi(7, {"pirq":-1,"devfn":28,"segbus":65538,"entry":5,"tableBase":"6n"})',
      'mapPirqMultiMsi(7, {"devfn":28,"segbus":65538,"vectorCount":8})',
      'unmapPirq(7, 55)',
      'bindPciIrq(7, 16, 0, 5, 1)',
      'unbindPciIrq(7, 16, 0, 5, 1)',
      'updateMsiIrq(7, 65, 55, 65537, "61440n")',
      'unbindMsiIrq(7, 65, 55, 1)',
    ]);
  });
});

describe('ForeignGuestMemory', () => {
  type Memory = ConstructorParameters<typeof ForeignGuestMemory>[0];

  function setUp() {
    const pages = new Map<bigint, Uint8Array>([
      [5n, new Uint8Array(4096)],
      [6n, new Uint8Array(4096)],
    ]);
    const open = new Set<bigint>();
    const mapped: bigint[] = [];
    const memory = {
      map: (domid: number, [frame]: readonly bigint[], writable: boolean) => {
        const page = pages.get(frame ?? -1n);
        if (page === undefined || domid !== 7) throw new Error('EFAULT');
        open.add(frame ?? -1n);
        mapped.push(frame ?? -1n);
        const buffer = writable ? page.buffer : page.slice().buffer;
        return { buffer, close: () => void open.delete(frame ?? -1n) };
      },
    } as unknown as Memory;
    return { pages, open, mapped, memory: new ForeignGuestMemory(memory, 7) };
  }

  it('copies across a page boundary and leaves nothing mapped', () => {
    const { pages, open, memory } = setUp();
    expect(memory.write(6 * 4096 - 4, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))).toBe(true);
    expect([...(pages.get(5n)?.subarray(4092) ?? [])]).toEqual([1, 2, 3, 4]);
    expect([...(pages.get(6n)?.subarray(0, 4) ?? [])]).toEqual([5, 6, 7, 8]);
    const bytes = new Uint8Array(8);
    expect(memory.read(6 * 4096 - 4, bytes)).toBe(true);
    expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    memory.release();
    memory.release();
    expect(open.size).toBe(0);
  });

  it('maps a page once for all the elements on it, and anew for the next request', () => {
    const { open, mapped, memory } = setUp();
    for (let index = 0; index < 1024; index += 1) memory.write(5 * 4096 + index * 4, Uint8Array.of(1, 2, 3, 4));
    expect(mapped).toEqual([5n]);
    expect(memory.read(6 * 4096, new Uint8Array(4))).toBe(true);
    expect([[...open], mapped]).toEqual([[6n], [5n, 6n]]);
    memory.release();
    expect(memory.read(6 * 4096, new Uint8Array(4))).toBe(true);
    expect(memory.read(7 * 4096, new Uint8Array(4))).toBe(false);
    expect([open.size, mapped]).toEqual([0, [5n, 6n, 6n]]);
  });

  it.each([-1, 7 * 4096, 7 * 4096 - 1, Number.NaN, 2 ** 53])('tells a fault at %s', (address) => {
    const { open, memory } = setUp();
    expect(memory.read(address, new Uint8Array(2))).toBe(false);
    memory.release();
    expect(open.size).toBe(0);
  });
});
