import { afterEach, expect, test } from 'vitest';
import { listPciFunctions } from '../../src/helpers/index.js';
import { monitorOf, type Monitored } from './monitor.js';

let open: Monitored | undefined;
afterEach(() => open?.close());

const device = (slot: number, more: object = {}) => ({
  ...{ bus: 0, slot, function: 0, class_info: { class: 0x0604 }, id: { vendor: 1, device: 2 } },
  ...{ irq_pin: 0, qdev_id: `s${slot}`, regions: [] },
  ...more,
});

test('bridges within bridges, and a list without an end', async () => {
  const inner = device(3, { pci_bridge: { bus: {}, devices: [device(4)] } });
  const outer = device(2, { pci_bridge: { bus: {}, devices: [inner] } });
  let devices = [device(1), outer];
  open = await monitorOf((fake) => fake.on('query-pci', () => [{ bus: 0, devices }]));
  expect((await listPciFunctions(open.client)).map(({ id }) => id)).toEqual(['s1', 's2', 's3', 's4']);
  devices = Array.from({ length: 5000 }, (_, index) => device(index));
  await expect(listPciFunctions(open.client)).rejects.toMatchObject({ code: 'QMP_UNEXPECTED_RESULT' });
});
