import { afterEach } from 'vitest';
import type { JsonObject } from '../../src/index.js';
import { FakeError, FakeQmp } from '../../src/testing/index.js';
import type { FakeHost } from '../../src/xen/testing/index.js';

const open: FakeQmp[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const DRIVERS: ReadonlySet<unknown> = new Set(['pci-testdev', 'xen-pci-passthrough']);

/** What the guest does when it is asked to eject. */
export type Answer = 'ejects' | 'refuses' | 'is silent';

/** QEMU with one emulated card at slot 5, on both monitors of the guest. */
export class Qemu {
  readonly plugged = new Map<string, number>();
  readonly asked: string[] = [];
  /** What `device_add` was given. */
  readonly added: JsonObject[] = [];
  /** Commands of the human monitor, and what it answers. */
  readonly typed: string[] = [];
  typedAnswer = '';
  answer: Answer = 'ejects';
  /** Slots that the guest ejects when it is asked. */
  slots = 1 << 6;
  whenAsked: () => void = () => {};
  beforeAdd: () => void = () => {};
  /** Where it plugs what it is asked to plug. */
  place: (slot: number) => number = (slot) => slot;
  readonly #monitors: FakeQmp[] = [];
  readonly #models: FakeHost['models'];

  constructor(models: FakeHost['models']) {
    this.#models = models;
  }

  static async listen(host: FakeHost): Promise<Qemu> {
    const qemu = new Qemu(host.models);
    for (const path of [host.monitors.control(5), host.monitors.statistics(5)]) {
      const monitor = new FakeQmp()
        .on('query-pci', () => [{ bus: 0, devices: qemu.#devices() }])
        .on('qom-list', () => [...qemu.plugged.keys()].map((name) => ({ name, type: 'child<pci-testdev>' })))
        .on('query-status', () => ({ status: 'running', running: true }))
        .on('device_add', (args) => qemu.#add(args))
        .on('device_del', ({ id }) => qemu.#remove(id as string))
        .on('human-monitor-command', (args) => qemu.#type(args['command-line'] as string));
      await monitor.listen({ unix: path });
      open.push(monitor);
      qemu.#monitors.push(monitor);
    }
    return qemu;
  }

  /** Its process ends, with what was plugged. */
  async leave(): Promise<void> {
    this.plugged.clear();
    for (const monitor of this.#monitors) await monitor.close();
  }

  eject(id: string): void {
    this.plugged.delete(id);
    for (const monitor of this.#monitors) {
      monitor.emit('DEVICE_DELETED', { device: id, path: `/machine/peripheral/${id}` });
    }
  }

  #add({ driver, id, addr, ...rest }: JsonObject): void {
    this.beforeAdd();
    if (!DRIVERS.has(driver)) throw new FakeError('GenericError', `'${driver as string}' is not a valid device`);
    this.added.push({ driver, id, addr, ...rest });
    this.plugged.set(id as string, this.place(Number.parseInt(addr as string, 16)));
  }

  #remove(id: string): void {
    this.asked.push(id);
    if (!this.plugged.has(id)) throw new FakeError('DeviceNotFound', `Device '${id}' not found`);
    this.whenAsked();
    if (this.answer === 'ejects' && !this.#models.guestEjects(5, this.slots)) this.eject(id);
    if (this.answer === 'is silent') return;
    const [, events] = this.#monitors;
    if (this.answer === 'refuses') {
      events?.emit('DEVICE_UNPLUG_GUEST_ERROR', { device: id, path: `/machine/peripheral/${id}` });
    }
  }

  /** A write to the port of ejects, as the guest's `_EJ0` makes it: the lowest slot goes. */
  #type(line: string): string {
    this.typed.push(line);
    const written = /^o \/w 0xae08 (0x[0-9a-f]+)$/.exec(line)?.[1];
    if (written === undefined) return `unknown command: '${line}'`;
    const slot = 31 - Math.clz32(Number(written) & -Number(written));
    for (const [id, plugged] of this.plugged) if (plugged === slot && this.typedAnswer === '') this.eject(id);
    return this.typedAnswer;
  }

  #devices(): JsonObject[] {
    return [['nic0', 5] as const, ...this.plugged].map(([id, slot]) => ({
      bus: 0,
      slot,
      function: 0,
      class_info: { class: 0 },
      id: { vendor: 0x1b36, device: 5 },
      irq_pin: 0,
      qdev_id: id,
      regions: [],
    }));
  }
}
