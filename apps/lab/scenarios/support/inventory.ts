import { beforeAll, describe, expect, it } from 'vitest';
import type { Setting } from '../../src/story/setting.js';

interface ListedFunction {
  readonly sbdf: string;
  readonly driver: string | null;
  readonly parent: string | null;
  readonly verdict: string;
  readonly reset: { readonly methods: readonly string[] };
  readonly groups: { readonly xen: readonly string[] | null };
  readonly findings: readonly { readonly rule: string }[];
}

interface ListedFinding {
  readonly rule: string;
  readonly subject: string;
  readonly fix: string | null;
}

/** What list, show, doctor and bundle say of a host that lspci and Xen describe too. */
export function inventoryScenarios(scene: () => Setting): void {
  describe('inventory', () => {
    let setting: Setting;
    let functions: readonly ListedFunction[];
    const run = (command: string) => setting.lab.run(command, { timeoutMs: 120_000 });

    beforeAll(async () => {
      setting = scene();
      ({ functions } = JSON.parse(await run('xenpt list --json')) as { functions: readonly ListedFunction[] });
    });

    it('lists the functions that lspci lists, with their drivers', async () => {
      const lspci = await run('lspci -Dk');
      const drivers = lspci.split(/\n(?=\S)/).map((block) => {
        const driver = /Kernel driver in use: (\S+)/.exec(block)?.[1] ?? null;
        return [block.slice(0, 12), driver] as const;
      });
      expect(functions.map(({ sbdf, driver }) => [sbdf, driver])).toEqual(drivers);
    });

    it('has the groups of Xen as the machine was built: every card has a port of its own', () => {
      for (const id of ['nic0', 'nic1', 'sound', 'nic2']) {
        const sbdf = setting.lab.sbdf(id);
        const found = functions.find((one) => one.sbdf === sbdf);
        expect(found?.groups.xen, id).toEqual([sbdf]);
        expect(found?.parent === null, id).toBe(sbdf.startsWith('0000:00:'));
      }
    });

    it('knows the disk that dom0 runs from, and that a card can be given away', () => {
      const disk = functions.find(({ findings }) => findings.some(({ rule }) => rule === 'boot-disk'));
      expect([disk?.sbdf, disk?.verdict]).toEqual(['0000:00:02.0', 'not-assignable']);
      const card = functions.find(({ sbdf }) => sbdf === setting.sbdf);
      expect([card?.verdict, card?.reset.methods[0]]).toEqual(['with-warning', 'pm']);
    });

    it('doctor ends with 1 for a guest whose device is not there, and says so in a bundle elsewhere too', async () => {
      await run(`printf '%s\\n' 'type="hvm"' memory=256 'pci=["7f:00.0"]' >/etc/xen/lost.cfg`);
      const command = 'doctor --json --fail-on=error';
      const { exitCode, stdout } = await setting.lab.exec(`xenpt ${command}`, { timeoutMs: 120_000 });
      await run('xenpt bundle -o /tmp/host.tar.gz && rm /etc/xen/lost.cfg');
      const elsewhere = await setting.lab.exec(`xenpt ${command} --sysroot /tmp/host.tar.gz`, { timeoutMs: 120_000 });
      const rules = (text: string) =>
        (JSON.parse(text) as { findings: readonly ListedFinding[] }).findings.map(({ rule }) => rule);
      expect(exitCode).toBe(1);
      expect(rules(stdout)).toContain('guest-device-absent');
      expect([elsewhere.exitCode, rules(elsewhere.stdout)]).toEqual([1, rules(stdout)]);
    });
  });
}
