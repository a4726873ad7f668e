import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceModel } from '../src/device-model.js';

/** A domain id that no host has reached; below DOMID_FIRST_RESERVED (0x7ff0). */
const nobody = 0x7fef;

describe('the worker', () => {
  // Inside the package, so that what is not bundled is found.
  const parent = fileURLToPath(new URL('../build', import.meta.url));
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'worker-'));

  beforeAll(async () => {
    await build({
      config: false,
      silent: true,
      entry: [fileURLToPath(new URL('../src/worker.ts', import.meta.url))],
      outDir: directory,
      format: ['esm'],
      shims: true,
      noExternal: [/^@xenpt\//],
      esbuildOptions: (options) => void (options.conditions = ['@xenpt/source']),
    });
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('opens Xen on its own thread, and says why it cannot', async () => {
    const wakeEvent = { port: 0, wake: () => {}, close: () => {} };
    const workerUrl = pathToFileURL(join(directory, 'worker.js'));
    const started = DeviceModel.start({ domid: nobody, vcpuCount: 1, workerUrl, wakeEvent });
    await expect(started).rejects.toMatchObject({
      code: 'DEVICE_MODEL_START_FAILED',
      cause: { code: expect.stringMatching(/^XEN_(UNAVAILABLE|CALL_FAILED)$/) as string },
    });
  });
});
