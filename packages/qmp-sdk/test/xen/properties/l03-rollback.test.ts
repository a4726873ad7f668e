import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attach } from '../../../src/xen/index.js';
import { CARD, eachFailingCall, readyHost } from '../hosts.js';

test('L3: a failure of any call of an attach leaves the ledger as it was', async () => {
  const count = await eachFailingCall(
    readyHost,
    (host) => attach(host, { domain: '5', spec: CARD }),
    (host, before, error, call) => {
      expect(error, call).toBeDefined();
      expect(host.dump(), call).toEqual(before);
      expect(existsSync(join(host.runDir, 'domain-5')), call).toBe(false);
    },
  );
  expect(count).toBeGreaterThan(40);
});
