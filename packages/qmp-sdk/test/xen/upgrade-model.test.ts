import { expect, test } from 'vitest';
import { attach, upgradeModel } from '../../src/xen/index.js';
import { CARD, failure, readyHost } from './hosts.js';

async function served() {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  const process = { pid: 100, version: '0.1.0', startedAtMs: 1 };
  host.models.status = { ...host.models.status, process };
  host.models.nextStatus = { process: { pid: 200, version: '0.2.0', startedAtMs: 2 } };
  return host;
}

test('says which process went on for which, and for how long nobody served', async () => {
  const host = await served();
  const before = host.dump();
  expect(await upgradeModel(host, 'guest5')).toEqual({
    domid: 5,
    domainName: 'guest5',
    from: { pid: 100, version: '0.1.0', startedAtMs: 1 },
    to: { pid: 200, version: '0.2.0', startedAtMs: 2 },
    pauseMs: 87,
  });
  expect(host.dump()).toEqual(before);
});

test('of a guest without a model, and as nobody, nothing is replaced', async () => {
  const host = await readyHost();
  expect(await failure(upgradeModel(host, '5'))).toMatchObject({ code: 'XENPT_MODEL_NOT_RUNNING' });
  expect(await failure(upgradeModel({ ...host, isRoot: false }, '5'))).toMatchObject({ code: 'XENPT_NOT_ROOT' });
  expect(host.journal.calls.filter((call) => call.startsWith('model.replace'))).toEqual([]);
});
