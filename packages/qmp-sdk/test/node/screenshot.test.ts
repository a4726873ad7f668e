import { afterEach, describe, expect, test } from 'vitest';
import { canPassFds } from '../../src/node/fd-transport.js';
import { takeScreenshot } from '../../src/node/screenshot.js';
import { hasQemu, Qemu } from '../support/qemu.js';

const machine = ['-machine', 'pc', '-m', '16', '-device', 'VGA,id=screen'];
const nobody = 65534;
const isRoot = process.getuid?.() === 0;

describe.skipIf(!hasQemu)('a picture of a real QEMU', () => {
  let qemu: Qemu | undefined;
  afterEach(() => qemu?.[Symbol.asyncDispose]());

  test('in a private folder', async () => {
    qemu = new Qemu(machine);
    await using client = await qemu.connect();
    const image = await takeScreenshot(client, { device: 'screen', head: 0 });
    expect(Buffer.from(image.subarray(1, 4)).toString()).toBe('PNG');
    expect(image.length).toBeGreaterThan(500);
    await expect(takeScreenshot(client, { device: 'nosuch' })).rejects.toMatchObject({ code: 'QMP_COMMAND' });
  });

  test.skipIf(!isRoot || !canPassFds())('through a descriptor, of a QEMU that may write nowhere', async () => {
    qemu = new Qemu(machine, { uid: nobody });
    {
      await using plain = await qemu.connect();
      await expect(takeScreenshot(plain)).rejects.toMatchObject({
        code: 'QMP_COMMAND',
        message: expect.stringContaining('Permission denied') as string,
      });
    }
    await using client = await qemu.connect({ passFds: true });
    const image = await takeScreenshot(client);
    expect(Buffer.from(image.subarray(1, 4)).toString()).toBe('PNG');
    await expect(takeScreenshot(client, { device: 'nosuch' })).rejects.toMatchObject({ code: 'QMP_COMMAND' });
  });
});
