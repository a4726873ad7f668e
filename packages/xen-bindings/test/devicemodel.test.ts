import { constants } from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

it('passes addresses and ranges exactly', async () => {
  const result = await fake.run(({ xen }) => {
    const model = xen.DeviceModel.open();
    const id = model.createIoreqServer(3);
    model.createIoreqServer(3, xen.BufferedRequests.atomic);
    model.setIoreqServerState(3, id, true);
    model.mapPcidev(3, id, 0xabcd_12fd);
    model.unmapPcidev(3, id, 0x28);
    model.mapIoRange(3, id, 'mmio', 2n ** 53n + 1n, 2n ** 64n - 1n);
    model.unmapIoRange(3, id, 'port', 0xc000n, 0xffffn);
    model.setIoreqServerState(3, id, false);
    model.destroyIoreqServer(3, id);
    return { id, vcpus: model.nrVcpus(3) };
  }, null);
  expect(result).toEqual({ id: 0xfffe, vcpus: 3 });
  expect(fake.calls()).toEqual([
    'xendevicemodel_create_ioreq_server 3 0',
    'xendevicemodel_create_ioreq_server 3 2',
    'xendevicemodel_set_ioreq_server_state 3 65534 1',
    'xendevicemodel_map_pcidev_to_ioreq_server 3 65534 43981 18 31 5',
    'xendevicemodel_unmap_pcidev_from_ioreq_server 3 65534 0 0 5 0',
    'xendevicemodel_map_io_range_to_ioreq_server 3 65534 1 9007199254740993 18446744073709551615',
    'xendevicemodel_unmap_io_range_from_ioreq_server 3 65534 0 49152 65535',
    'xendevicemodel_set_ioreq_server_state 3 65534 0',
    'xendevicemodel_destroy_ioreq_server 3 65534',
    'xendevicemodel_nr_vcpus 3',
  ]);
});

it('refuses a range that ends before it starts, and a port above 65535', async () => {
  const errors = await fake.run(({ xen, caught }) => {
    const model = xen.DeviceModel.open();
    return [
      caught(() => model.mapIoRange(3, 1, 'mmio', 2n, 1n)),
      caught(() => model.mapIoRange(3, 1, 'port', 0xffffn, 0x1_0000n)),
      caught(() => model.createIoreqServer(3, 3 as 0)),
    ];
  }, null);
  expect(errors.map(({ name }) => name)).toEqual(['RangeError', 'RangeError', 'RangeError']);
  expect(fake.calls()).toEqual([]);
});

it('says that a domain has all its servers', async () => {
  fake.fail('xendevicemodel_create_ioreq_server', constants.errno.ENOSPC);
  const error = await fake.run(({ xen, caught }) => {
    const model = xen.DeviceModel.open();
    return caught(() => model.createIoreqServer(3));
  }, null);
  expect(error).toMatchObject({ code: 'XEN_CALL_FAILED', errnoName: 'ENOSPC' });
  expect(error.message).toContain('8 ioreq servers');
});

it('names a function that an older library lacks, and keeps the others working', async () => {
  const old = await FakeXen.create({ oldRelease: true });
  const { error, id } = await old.run(({ xen, caught }) => {
    const model = xen.DeviceModel.open();
    return { error: caught(() => model.nrVcpus(3)), id: model.createIoreqServer(3) };
  }, null);
  await old.remove();
  expect(id).toBe(0xfffe);
  expect(error).toMatchObject({
    name: 'XenUnavailableError',
    code: 'XEN_UNAVAILABLE',
    missing: 'xendevicemodel_nr_vcpus of libxendevicemodel',
  });
});
