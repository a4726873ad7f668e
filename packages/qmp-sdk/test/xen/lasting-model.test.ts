import { expect, test } from 'vitest';
import { XenErrorCode } from '../../src/xen/errors.js';
import { LastingModel } from '../../src/xen/lasting-model.js';
import type { ModelClient } from '../../src/xen/model-client.js';
import { ModelGoneError } from '../../src/xen/model-connection.js';
import { failure } from './hosts.js';

const gone = new ModelGoneError(XenErrorCode.modelFailed, 'the device model went away', { next: 'Run it again.' });

/** Processes that follow one another: each dies of `deadly` calls but the last. */
function processes(deaths: number, deadly: keyof ModelClient) {
  const diary: string[] = [];
  let number = 0;
  const client = (): ModelClient => {
    const name = ++number;
    const does =
      <T>(call: keyof ModelClient, result: T) =>
      (): Promise<T> => {
        diary.push(`${name}: ${call}`);
        return call === deadly && name <= deaths ? Promise.reject(gone) : Promise.resolve(result);
      };
    return {
      attach: does('attach', { pirq: 16, hidden: [], vectors: 1 }),
      detach: does('detach', undefined),
      view: does('view', { guest: new Uint8Array(), host: new Uint8Array(), bars: [], vectors: [] }),
      status: does('status', { handle: '', requests: {}, deniedWrites: 0, effects: {}, devices: [] }),
      expectEjects: does('expectEjects', 0x20),
      shutdown: does('shutdown', undefined),
      close: () => void diary.push(`${name}: close`),
    };
  };
  return { diary, client };
}

test('asks the process that goes on', async () => {
  const { diary, client } = processes(2, 'expectEjects');
  const model = new LastingModel(client(), () => Promise.resolve(client()));
  expect(await model.expectEjects(0)).toBe(0x20);
  await model.detach('0000:03:00.0');
  expect(diary).toEqual(['1: expectEjects', '2: expectEjects', '3: expectEjects', '3: detach']);
});

test('but for no more than three deaths', async () => {
  const { client } = processes(4, 'status');
  expect(await failure(new LastingModel(client(), () => Promise.resolve(client())).status())).toBe(gone);
});

test('an attach has failed, once it has been undone by the process that goes on', async () => {
  const { diary, client } = processes(1, 'attach');
  const model = new LastingModel(client(), () => {
    diary.push('undone');
    return Promise.resolve(client());
  });
  expect(await failure(model.attach({ sbdf: '0000:03:00.0', guestDevfn: 40 }))).toBe(gone);
  await model.shutdown();
  expect(diary).toEqual(['1: attach', 'undone', '2: shutdown']);
});

test('nobody goes on: a shutdown has succeeded, everything else has not', async () => {
  const nobody = () => Promise.resolve(null);
  await new LastingModel(processes(1, 'shutdown').client(), nobody).shutdown();
  expect(await failure(new LastingModel(processes(1, 'view').client(), nobody).view('0000:03:00.0'))).toBe(gone);
});

test('whoever has closed it is not connected again', async () => {
  const { diary, client } = processes(1, 'status');
  const model = new LastingModel(client(), () => Promise.resolve(client()));
  const asked = failure(model.status());
  model.close();
  expect(await asked).toBe(gone);
  expect(diary).toEqual(['1: status', '1: close']);
});
