import { statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ensureImage } from '../../src/image/build.js';
import { Lab } from '../../src/lab.js';
import { findProfile } from '../../src/profile.js';
import { sceneMachine } from '../../src/story/setting.js';

/** Comes after a scenario on the same machine, whose boot left a saved state. */
export function describeSavedMachine(profile: string): void {
  // Once in some seventy times, on an overloaded host, a resume failed; the lab boots then, and saves anew.
  it(`a second lab on ${profile} resumes where the first one's boot ended`, { retry: 1 }, async () => {
    const { disk } = await ensureImage({ profile: findProfile(profile) });
    const changedMs = statSync(disk).mtimeMs;
    const steps: string[] = [];
    await using lab = await Lab.boot({
      profile,
      ...sceneMachine(),
      onProgress: ({ step }) => void steps.push(step),
    });
    expect(steps).toContain(`resuming ${profile}`);
    expect(steps.filter((step) => /booting|no use/.test(step))).toEqual([]);
    expect(lab.serialText()).toMatch(/Xen version 4\./);
    expect(await lab.run('xl list')).not.toMatch(/^(?!Name|Domain-0)\S/m);
    expect(await lab.run(`lspci -D`)).toContain(lab.sbdf('nic0'));
    expect(Math.abs(Number(await lab.run('date +%s')) * 1000 - Date.now())).toBeLessThan(120_000);
    expect(await lab.run('ls /root/packages 2>/dev/null || echo none')).toBe('none\n');
    await lab.run('echo written >/root/note && sync');
    expect(statSync(disk).mtimeMs).toBe(changedMs);
  });
}
