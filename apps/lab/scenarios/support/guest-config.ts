import { beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab.js';

/** A device as xl has read it; what stands at its default is left out. */
interface ReadDevice {
  readonly domain?: number;
  readonly bus?: number;
  readonly dev?: number;
  readonly func?: number;
  readonly vdevfn?: number;
  readonly permissive?: boolean;
}

const path = '/etc/xen/xenpt-written.cfg';

/** `config add` and `config remove`, with xl as the reader. Each file is as people write them. */
export function guestConfigScenarios(lab: () => Lab): void {
  describe('guest configuration', () => {
    let card: string;
    let other: string;
    const run = (command: string) => lab().run(command, { timeoutMs: 120_000 });
    const bus = (sbdf: string) => Number.parseInt(sbdf.slice(5, 7), 16);

    /** What `xl create` would build the guest from: libxl_domain_config in JSON, behind which file it has read. */
    async function readByXl(): Promise<readonly ReadDevice[]> {
      const printed = await run(`xl create -n ${path}`);
      const document = printed.slice(printed.indexOf('{'), printed.lastIndexOf('}') + 1);
      const { c_info, pcidevs = [] } = JSON.parse(document) as {
        readonly c_info?: { readonly name?: string };
        readonly pcidevs?: readonly ReadDevice[];
      };
      expect(c_info?.name, printed).toBe('web');
      return pcidevs;
    }

    beforeAll(() => {
      [card, other] = [lab().sbdf('nic0'), lab().sbdf('nic1')];
    });

    it.each([
      ['without a list', '"', () => ''],
      ['with a list on one line', "'", () => `pci = ['${other}@6'] # the other card\n`],
      ['with a device on each line', '"', () => `pci=[ # cards\n  "${other}@6",\t# the other card\n]\n`],
    ])('%s: xl reads what was added; removed again, no byte differs', async (_, quote, list) => {
      const before = `# a guest, "web"\nname="web"; type='hvm'\n${list()}memory = 0x100 # MiB\nvif = [ ]\n`;
      const sum = () => run(`stat -c %a:%u:%g ${path}; sha256sum ${path}`);
      await lab().writeFile(path, before, 0o640);
      const beside = list() === '' ? [] : [{ bus: bus(other), vdevfn: 0x30 }];
      const untouched = await sum();
      expect(await readByXl()).toMatchObject(beside);

      const words = `${path} ${card}@7,permissive=1`;
      expect(await run(`xenpt config add ${words} -N`)).toContain(`${quote}${card}@07,permissive=1${quote}`);
      expect(await sum()).toBe(untouched);
      await run(`xenpt config add ${words}`);
      const devices = await readByXl();
      expect(devices).toMatchObject([...beside, { bus: bus(card), vdevfn: 0x38, permissive: true }]);
      expect((await lab().exec(`xenpt config add ${words}`)).exitCode).toBe(4);
      expect(await run(`xenpt lint ${path}`)).toBe('Nothing is wrong.\n');

      await run(`xenpt config remove ${path} ${card}`);
      expect(await sum()).toBe(untouched);
      expect(await readByXl()).toMatchObject(beside);
      expect((await lab().exec(`xenpt config remove ${path} ${card}`)).exitCode).toBe(3);
      await run(`rm ${path}; ls -A /etc/xen | grep xenpt && exit 1 || true`);
    });
  });
}
