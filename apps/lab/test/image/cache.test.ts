import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirectory, ensureDirectory } from '../../src/image/cache.js';

let cache = '';
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'cache-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

/** A pid that was a process's a moment ago and is nobody's now. */
function deadPid(): number {
  return spawnSync('true').pid;
}

describe('ensureDirectory', () => {
  it('builds aside and renames into place', async () => {
    const directory = join(cache, 'image');
    const { built } = await ensureDirectory(directory, async (aside) => {
      expect(existsSync(directory)).toBe(false);
      expect(aside).not.toBe(directory);
      writeFileSync(join(aside, 'disk'), 'x');
      await sleep(1);
    });
    expect(built).toBe(true);
    expect(readdirSync(cache)).toEqual(['image']);
    expect(readdirSync(directory)).toEqual(['disk']);
  });

  it('does not build what is there', async () => {
    mkdirSync(join(cache, 'image'));
    const { built } = await ensureDirectory(join(cache, 'image'), () => Promise.reject(new Error('built')));
    expect(built).toBe(false);
  });

  it('leaves nothing half made behind a failure, and can build afterwards', async () => {
    const directory = join(cache, 'image');
    const failing = ensureDirectory(directory, (aside) => {
      writeFileSync(join(aside, 'disk'), 'half');
      return Promise.reject(new Error('no space'));
    });
    await expect(failing).rejects.toThrow('no space');
    expect(readdirSync(cache)).toEqual([]);
    await ensureDirectory(directory, (aside) => Promise.resolve(writeFileSync(join(aside, 'disk'), 'whole')));
    expect(readdirSync(directory)).toEqual(['disk']);
  });

  it('does not rename a build that was aborted', async () => {
    const controller = new AbortController();
    const aborted = ensureDirectory(
      join(cache, 'image'),
      () => Promise.resolve(controller.abort(new Error('interrupted'))),
      controller.signal,
    );
    await expect(aborted).rejects.toThrow('interrupted');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('removes what a dead builder left, and nothing else', async () => {
    const dead = join(cache, `image.building-${deadPid()}`);
    const alive = join(cache, `image.building-${process.ppid}`);
    const other = join(cache, `another.building-${deadPid()}`);
    for (const name of [dead, alive, other]) mkdirSync(name);
    await ensureDirectory(join(cache, 'image'), () => Promise.resolve());
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(alive)).toBe(true);
    expect(existsSync(other)).toBe(true);
  });

  it('lets one build at a time, and the waiting one takes its result', async () => {
    const directory = join(cache, 'image');
    let builds = 0;
    const build = async () => {
      builds++;
      await sleep(50);
    };
    const results = await Promise.all([ensureDirectory(directory, build), ensureDirectory(directory, build)]);
    expect(builds).toBe(1);
    expect(results.map(({ built }) => built).sort()).toEqual([false, true]);
  });
});

describe('cacheDirectory', () => {
  it('follows the XDG base directory specification', () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/c' })).toBe('/c/xenpt-lab');
    expect(cacheDirectory({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/xenpt-lab$/);
  });
});
