import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../src/story/refusal.js';
import type { Setting } from '../../src/story/setting.js';

/** What `attach` and `detach` do not do, each with its message; the card is assignable and nobody's. */
export function refusalScenarios(scene: () => Setting): void {
  describe('refuses, and says why and what to do:', () => {
    const plain = 'plain';
    let setting: Setting;
    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });
    beforeAll(async () => {
      setting = scene();
      await setting.lab.createGuest({ name: plain, paused: true });
      await run(
        // Xen's own shim is a kernel that a PVH guest can start with; this one never does.
        `printf '%s\\n' 'name="pvh"' 'type="pvh"' memory=256 "kernel=\\"$(ls /usr/lib/xen-4*/boot/xen-shim)\\"" ` +
          '>/tmp/pvh.cfg && xl create -p /tmp/pvh.cfg',
      );
    });
    afterAll(async () => {
      await run(`xl destroy pvh; xl destroy ${plain}`);
    });

    const cases = [
      [
        'a device that does not exist',
        () => `attach ${plain} 7f:00.0`,
        'XENPT_NO_SUCH_DEVICE',
        /7f:00\.0/,
        /xenpt list/,
        3,
      ],
      ['a typo', () => `attach ${plain} 01:00.9`, 'XENPT_SPEC_SYNTAX', /01:00\.9/, /./, 2],
      [
        'a domain that does not exist',
        () => `attach nobody ${setting.sbdf}`,
        'XENPT_NO_SUCH_DOMAIN',
        /nobody/,
        /xl list/,
        3,
      ],
      [
        "a device that is still on dom0's driver",
        () => `attach ${plain} 02:00.0`,
        'XENPT_DEVICE_HAS_DRIVER',
        /e1000e/,
        /assignable add 0000:02:00\.0/,
        4,
      ],
      ['dom0', () => `attach Domain-0 ${setting.sbdf}`, 'XENPT_DOMAIN_NOT_HVM', /dom0/, /type="hvm"/, 4],
      ['a PVH guest', () => `attach pvh ${setting.sbdf}`, 'XENPT_DOMAIN_NOT_HVM', /PVH/, /type="hvm"/, 4],
      [
        'a guest created without passthrough',
        () => `attach ${plain} ${setting.sbdf}`,
        'XENPT_DOMAIN_WITHOUT_PASSTHROUGH',
        /without passthrough/,
        /passthrough="sync_pt"/,
        4,
      ],
      [
        'detach of what is not attached',
        () => `detach ${plain} ${setting.sbdf}`,
        'XENPT_NOT_ATTACHED',
        /not attached/,
        /xenpt list/,
        3,
      ],
    ] as const;
    it.each(cases)('%s', async (_name, command, code, message, next, exitCode) => {
      const refusal = await refusalOf(setting.lab, `xenpt ${command()}`);
      expect(refusal).toEqual({
        code,
        message: expect.stringMatching(message) as string,
        next: expect.stringMatching(next) as string,
        exitCode,
      });
    });

    it('a user who is not root', async () => {
      const command = `setpriv --reuid=65534 --regid=65534 --clear-groups xenpt attach ${plain} ${setting.sbdf}`;
      const refusal = await refusalOf(setting.lab, command);
      expect(refusal).toMatchObject({ code: 'XENPT_NOT_ROOT', exitCode: 10 });
      expect(refusal.next).toMatch(/sudo|root/);
    });
  });
}
