import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import type { Setting } from '../../src/story/setting.js';
import { releasedWithin } from '../../src/story/release.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';

const name = 'sleeper';
const file = '/var/tmp/sleeper.save';

/** `xl save` of a guest that has a device of ours, and `xl restore`; tests in order. */
export function savedGuestScenarios(scene: () => Setting): void {
  describe('a guest that is saved', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;
    const run = (command: string) => setting.lab.run(command, { timeoutMs: 300_000 });
    const domidOf = async () => Number((await run(`xl domid ${name}`)).trim());

    beforeAll(async () => {
      setting = scene();
      await run(`xenpt assignable add ${setting.sbdf}`);
      baseline = await readBaseline(setting.lab, [setting.sbdf]);
      guest = await setting.lab.createGuest({ name, paused: true, passthrough: 'sync_pt' });
      await guest.unpause();
      await guest.waitUntilReady();
      await run(`xenpt attach ${name} ${setting.sbdf}`);
    });
    afterAll(async () => {
      await setting.lab.exec(`xl destroy ${name}; rm -f ${file}`);
      await guest?.destroy();
    });

    it('leaves its device behind: the model ends, and Xen has everything back', async () => {
      await run(`xl save ${name} ${file} 2>&1`);
      await expectBaseline(setting.lab, guest.domid, baseline);
      expect(await run('ls /run/xenpt')).not.toContain(`domain-${guest.domid}`);
    });

    it('runs again without it when it is restored, can be given it, and gives it back', async () => {
      const { lab, sbdf } = setting;
      await run(`xl restore ${file} 2>&1`);
      const domid = await domidOf();
      expect((await run(`xl pci-list ${name}`)).includes(sbdf)).toBe(false);
      await run(`xenpt attach ${name} ${sbdf}`);
      expect(await run(`xenpt devices ${name}`)).toMatch(new RegExp(`${sbdf}.*xenpt`));
      await run(`xl destroy ${name}`);
      await releasedWithin(lab, domid, 60_000);
      await expectBaseline(lab, domid, baseline);
    });
  });
}
