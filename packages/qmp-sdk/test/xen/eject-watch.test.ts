import { expect, test } from 'vitest';
import { EjectWatch } from '../../src/xen/eject-watch.js';

function watched() {
  const calls: string[] = [];
  const model = {
    expectEjects: (passedOn: number) => Promise.resolve(calls.push(`expect ${passedOn}`) * 0),
    ignoreEjects: () => Promise.resolve(void calls.push('ignore')),
  };
  return { calls, ejects: new EjectWatch(model, () => {}) };
}

test('what a former process expected goes to QEMU when nobody has come back for it', () => {
  const { calls, ejects } = watched();
  const over = new AbortController();
  ejects.goOn(over.signal);
  expect(calls).toEqual([]);
  over.abort();
  expect(calls).toEqual(['ignore']);
});

test('and stays expected by whoever has', async () => {
  const { calls, ejects } = watched();
  const [over, closed] = [new AbortController(), new AbortController()];
  ejects.goOn(over.signal);
  await ejects.expect(0, closed.signal);
  over.abort();
  expect(calls).toEqual(['expect 0']);
  closed.abort();
  expect(calls).toEqual(['expect 0', 'ignore']);
});
