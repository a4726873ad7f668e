import { describe, expect, it } from 'vitest';
import { loadOrder } from '../../src/image/kernel-modules.js';

const dep = [
  'kernel/fs/ext4/ext4.ko.xz: kernel/lib/crc16.ko.xz kernel/fs/mbcache.ko.xz kernel/fs/jbd2/jbd2.ko.xz',
  'kernel/lib/crc16.ko.xz:',
  'kernel/drivers/xen/xen-pciback/xen-pciback.ko:',
].join('\n');
const builtin = 'kernel/drivers/virtio/virtio_pci.ko\n';

describe('loadOrder', () => {
  it('puts what is needed first, the deepest first of all', () => {
    expect(loadOrder('ext4', dep, builtin)).toEqual([
      'kernel/fs/jbd2/jbd2.ko.xz',
      'kernel/fs/mbcache.ko.xz',
      'kernel/lib/crc16.ko.xz',
      'kernel/fs/ext4/ext4.ko.xz',
    ]);
  });

  it('takes dash and underscore for the same', () => {
    expect(loadOrder('xen_pciback', dep, builtin)).toEqual(['kernel/drivers/xen/xen-pciback/xen-pciback.ko']);
  });

  it('needs nothing for what is built in', () => {
    expect(loadOrder('virtio_pci', dep, builtin)).toEqual([]);
  });

  it('names what does not exist', () => {
    expect(() => loadOrder('e1000f', dep, builtin)).toThrow('no module "e1000f"');
    expect(() => loadOrder('ext', dep, builtin)).toThrow('no module "ext"');
  });
});
