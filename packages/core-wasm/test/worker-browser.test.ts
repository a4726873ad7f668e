import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bundleForBrowser } from './dist.js';
import { ensureWorkerDist } from './worker-dist.js';

const executablePath = '/usr/bin/chromium';
const missing = !existsSync(executablePath);
// Continuous integration must have it; elsewhere the tests show as skipped.
const required = process.env['CI'] === 'true';

/** Without the background flags it asks the network for things that no test needs. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Shared memory exists in pages that are isolated from other origins only. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/pool.js';
    response.writeHead(200, { ...isolation, 'Content-Type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : '<!doctype html><script src="/pool.js"></script>');
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe.skipIf(missing && !required)('in Chromium, bundled by esbuild', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    ensureWorkerDist();
    server = await serve(bundleForBrowser('pool-browser.mjs'));
    browser = await chromium.launch({ executablePath, args: flags });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  afterEach(() => page.close());

  const run = (name: string, argument?: number): Promise<unknown> => {
    return page.evaluate(`scenarios.${name}(${argument ?? ''})`);
  };

  test('the page is isolated, so that there is shared memory', async () => {
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
  });

  test('the pool says what the bitmap says', async () => {
    const threads = 0; // A page has no process to ask.
    const answer = { equal: true, dirty: 983_041, range: 'CORE_ARGUMENT_RANGE', closed: 'CORE_POOL_CLOSED', threads };
    expect(await run('exercise')).toEqual(answer);
    await expect.poll(() => page.workers().length).toBe(0);
  });

  test('the page goes on while workers scan', async () => {
    expect(await run('turns')).toEqual({ count: 2 ** 26, frames: 2 ** 26, turned: true });
  });

  test('an abort ends what is pending, and nothing else', async () => {
    const again = 2 ** 26;
    expect(await run('abort')).toEqual({ count: 'no longer wanted', rest: 'no longer wanted', again });
  });

  test('a worker that fails is replaced, and what was pending is rejected', async () => {
    const result = await run('death');
    expect(result).toMatchObject({ code: 'CORE_WORKER_DIED', again: 2 ** 26 });
    expect(result).toMatchObject({ message: expect.stringMatching(/RangeError: failed/) as string });
  });

  test('close leaves no worker', async () => {
    await run('open', 3);
    expect(page.workers()).toHaveLength(3);
    await run('closeAll');
    await expect.poll(() => page.workers().length).toBe(0);
  });
});
