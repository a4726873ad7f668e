import { expect, test } from 'vitest';
import { CARD, fakeHost, run } from './run.js';

test.each([
  ['watch', /^0000:03:00\.0 {2}e1000e, host -> pciback, assignable\n$/],
  ['watch --json', /^\{"schemaVersion":1,"change":\{"address":"0000:03:00\.0","before":\{.*"after":\{.*\}\}\n$/],
])('"%s" tells of a card that is made assignable, once, and ends when it is told to', async (line, expected) => {
  const host = fakeHost();
  const controller = new AbortController();
  let looks = 0;
  const clock = {
    now: () => 0,
    sleep: async () => {
      looks++;
      if (looks === 2) await run(host, `assignable add ${CARD}`);
      if (looks === 4) controller.abort();
    },
  };
  const watched = Object.assign(Object.create(host) as typeof host, { clock });
  const { exitCode, stdout } = await run(watched, line, { signal: controller.signal });
  expect([exitCode, looks]).toEqual([0, 4]);
  expect(stdout).toMatch(expected);
});

test('an interval that is none is wrong usage', async () => {
  expect(await run(fakeHost(), 'watch --interval soon')).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await run(fakeHost(), 'watch --interval 0')).toMatchObject({ exitCode: 2, stdout: '' });
});
