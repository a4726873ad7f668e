import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureImage } from '../../src/image/build.js';
import type { Lab } from '../../src/lab.js';
import { findProfile } from '../../src/profile.js';
import { DirtyMeasurer } from './dirty-measurer.js';
import { DirtyProgram, dirtyProgramScript } from './dirty-program.js';

const kernel = '/root/vmlinux.gz';
const regionPages = 16_384;
const pagesPerSecond = 2000;

/**
 * The dirty log of guests that are not HVM, on a lab with xenpt installed.
 *
 * @param hasShadowPaging how Xen was built: a PV guest's log needs it
 */
export function dirtyLogTypeScenarios(lab: () => Lab, hasShadowPaging: boolean): void {
  describe('the dirty log of guests without a device model', () => {
    let measurer: DirtyMeasurer;

    const counts = async (type: 'pv' | 'pvh') => {
      const script = dirtyProgramScript();
      await using guest = await lab().createGuest({ name: `${type}-writer`, type, kernel, modules: [], script });
      await guest.waitUntilReady();
      const program = await DirtyProgram.start(guest, regionPages, pagesPerSecond);
      const lines = await measurer.expectWithinATenth(guest.domid, program);
      expect(lines[0]).toMatchObject({ open: guest.domid, type });
      expect(await measurer.isOn(guest.domid)).toBe(false);
    };

    beforeAll(async () => {
      measurer = await DirtyMeasurer.install(lab());
      await pushKernel(lab());
    });
    afterAll(() => lab().run(`rm -f ${kernel}`));

    it('PVH: counts the pages that the guest writes, within a tenth, and where', () => counts('pvh'));

    if (hasShadowPaging) {
      it('PV: counts the pages that the guest writes, within a tenth, and where', () => counts('pv'));
      return;
    }

    it('PV: this Xen has no shadow paging, which a PV guest needs; that is said, and the guest goes on', async () => {
      await using guest = await lab().createGuest({ name: 'pv-writer', type: 'pv', kernel, modules: [] });
      await guest.waitUntilReady();
      const { exitCode, stderr } = await lab().exec(`xenpt dirty-rate ${guest.name} --samples 1`);
      expect(stderr).toContain('built without shadow paging');
      expect(stderr).toContain('type="pvh"');
      expect(exitCode).not.toBe(0);
      expect(await lab().run('ls -A /run/xenpt/dirty-log')).not.toContain('domain-');
      expect((await guest.exec('echo alive')).output).toBe('alive\n');
    });
  });
}

/** The kernel of the image as it was before it was laid out for the loader of QEMU. */
async function pushKernel(lab: Lab): Promise<void> {
  const image = await ensureImage({ profile: findProfile(lab.profile) });
  const folder = await mkdtemp(join(tmpdir(), 'xenpt-kernel-'));
  try {
    const packed = join(folder, 'vmlinux.gz');
    await promisify(execFile)('sh', ['-c', 'gzip -1 -c "$0" >"$1"', image.kernel, packed]);
    await lab.push(packed, kernel);
  } finally {
    await rm(folder, { recursive: true });
  }
}
