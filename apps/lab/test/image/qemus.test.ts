import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchQemus } from '../../src/image/qemus.js';

describe('fetching QEMUs', () => {
  let cache: string;
  beforeEach(() => void (cache = mkdtempSync(join(tmpdir(), 'qemus-'))));
  afterEach(() => rmSync(cache, { recursive: true, force: true }));

  it('takes what the cache has, and says of each other one why it is not there', async () => {
    mkdirSync(join(cache, 'qemus/trixie'), { recursive: true });
    const steps: string[] = [];
    const signal = AbortSignal.abort(new Error('no network today'));
    const fetched = await fetchQemus({ cache, signal, onProgress: ({ step }) => steps.push(step) });
    expect(fetched.map(({ suite, failure }) => [suite, failure?.message])).toEqual([
      ['bookworm', 'no network today'],
      ['trixie', undefined],
      ['trixie-backports', 'no network today'],
    ]);
    expect(existsSync(join(cache, 'qemus/bookworm'))).toBe(false);
  });
});
