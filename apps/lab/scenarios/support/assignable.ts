import { beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab.js';
import { everyKill, oneKill, surviveKillsAt } from './kills.js';

/** A card of dom0 given away and taken back, with and without kills; tests in order. */
export function assignableScenarios(lab: () => Lab, { thorough }: { readonly thorough: boolean }): void {
  describe('assignable, undo and recover', () => {
    let sbdf: string;
    const run = (command: string) => lab().run(command, { timeoutMs: 180_000 });
    const driver = async () => (await run(`basename $(readlink /sys/bus/pci/devices/${sbdf}/driver)`)).trim();
    const listedByXl = async () => (await run('xl pci-assignable-list')).includes(sbdf);
    const json = async (command: string) => JSON.parse(await run(`${command} --json`)) as Record<string, unknown>;

    beforeAll(() => {
      sbdf = lab().sbdf('nic1');
    });

    it('adds, and xl lists it; undo gives it back, and xl does not', async () => {
      const before = await run(`cat /sys/bus/pci/devices/${sbdf}/resource`);
      expect(await run(`xenpt assignable add ${sbdf} --dry-run`)).toContain('/sys/bus/pci/drivers/pciback/bind');
      expect([await driver(), await listedByXl()]).toEqual(['e1000e', false]);
      await run(`xenpt pci-assignable-add ${sbdf}`);
      expect([await driver(), await listedByXl()]).toEqual(['pciback', true]);
      await run('xenpt undo');
      expect([await driver(), await listedByXl()]).toEqual(['e1000e', false]);
      expect(await run(`cat /sys/bus/pci/devices/${sbdf}/resource`)).toBe(before);
    });

    it('what xl took, xenpt gives back', async () => {
      await run(`xl pci-assignable-add ${sbdf}`);
      await run(`xenpt assignable remove ${sbdf}`);
      expect([await driver(), await listedByXl()]).toEqual(['e1000e', false]);
    });

    it.runIf(thorough)(
      'refuses what a rule calls not assignable; the override that names it is recorded',
      async () => {
        const add = (words: string) =>
          lab()
            .exec(`xenpt assignable add ${words} --json`, { timeoutMs: 180_000 })
            .then(({ exitCode, stdout }) => {
              const { error } = JSON.parse(stdout) as {
                error?: { code: string; reasons: readonly { rule: string }[] };
              };
              return [exitCode, error?.code, error?.reasons.map(({ rule }) => rule)];
            });
        const sound = lab().sbdf('sound');
        expect(await add('00:02.0')).toEqual([4, 'XENPT_NEEDS_OVERRIDE', ['boot-disk', 'no-reset']]);
        expect(await add('00:10.0')).toEqual([4, 'XENPT_REFUSED_BY_RULE', ['bridge']]);
        expect(await add(sound)).toEqual([4, 'XENPT_NEEDS_OVERRIDE', ['no-reset']]);
        expect(await add(`${sound} --no-reset-ok`)).toEqual([0, undefined, undefined]);
        expect(await run('xl pci-assignable-list')).toContain(sound);
        const { transactions } = await json('xenpt undo --list');
        expect((transactions as unknown[])[0]).toMatchObject({ sbdf: sound, overrides: ['no-reset-ok'] });
        await run('xenpt undo');
        expect(await run(`basename $(readlink /sys/bus/pci/devices/${sound}/driver)`)).toBe('snd_hda_intel\n');
      },
    );

    it.runIf(thorough)(
      '--persist: what udev sets at boot makes pciback take the card; restore knows its driver',
      async () => {
        const rules = '/etc/udev/rules.d/60-xenpt.rules';
        await run(`xenpt assignable add ${sbdf} --persist`);
        expect(await run(`cat ${rules}`)).toContain('ATTR{device}=="0x10d3"');
        await run(`xenpt assignable remove ${sbdf}`);
        const device = `/sys/bus/pci/devices/${sbdf}`;
        // As at boot: the rule's assignment, and the kernel looks for a driver.
        await run(
          `echo pciback >${device}/driver_override && echo ${sbdf} >${device}/driver/unbind && ` +
            `echo ${sbdf} >/sys/bus/pci/drivers_probe`,
        );
        expect(await driver()).toBe('pciback');
        expect((await json('xenpt assignable restore'))['devices']).toMatchObject([{ sbdf, outcome: 'held' }]);
        expect(await listedByXl()).toBe(true);
        await run(`xenpt assignable remove ${sbdf} --persist`);
        expect([await driver(), await listedByXl()]).toEqual(['e1000e', false]);
        expect((await lab().exec(`ls ${rules} /etc/xenpt/assignments.json`)).exitCode).not.toBe(0);
      },
    );

    // The lab's dom0 has neither udev nor systemd: what the unit runs is run by hand.
    it.runIf(thorough)('--persist over a restart of the host: restore takes the card again', async () => {
      await run(`xenpt assignable add ${sbdf} --persist`);
      await lab().restart();
      expect([await driver(), await listedByXl()]).toEqual(['e1000e', false]);
      expect((await json('xenpt recover'))['transactions']).toEqual([]);
      expect((await json('xenpt assignable restore'))['devices']).toMatchObject([{ sbdf, outcome: 'taken' }]);
      expect([await driver(), await listedByXl()]).toEqual(['pciback', true]);
      expect(await run('xenpt undo --list')).toMatch(/earlier boot/);
      await run(`xenpt assignable remove ${sbdf} --persist`);
      expect([await driver(), await listedByXl()]).toEqual(['e1000e', false]);
    });

    it.each(thorough ? everyKill : [oneKill])(
      '$verb killed at $points, driver_override $override: recover puts the card back on its driver each time',
      (kills) => surviveKillsAt(lab(), sbdf, kills),
    );

    it('leaves nothing behind: no slot, no node, no unfinished transaction', async () => {
      expect((await json('xenpt recover'))['transactions']).toEqual([]);
      expect(await run('cat /sys/bus/pci/drivers/pciback/slots')).not.toContain(sbdf);
      expect((await lab().exec('xenstore-ls /libxl/pci')).stdout).not.toContain(sbdf.replace(/[:.]/g, '-'));
    });
  });
}
