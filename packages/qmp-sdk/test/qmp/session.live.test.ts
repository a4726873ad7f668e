import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QmpClient } from '../../src/qmp/client.js';
import { QmpCommandError, type QmpClosedError, type QmpTimeoutError } from '../../src/qmp/errors.js';
import { loadSchema } from '../../src/schema/schema.js';
import { describeQemus, Qemu } from '../support/qemu.js';

// Every query that needs no argument, while QEMU stands still or dies.

describeQemus('every query of a real QEMU', (program) => {
  let qemu: Qemu;
  let client: QmpClient;
  let queries: readonly string[];

  beforeAll(async () => {
    qemu = new Qemu(['-machine', 'pc', '-m', '16'], { program });
    // As many as there are: QEMU is to have every one of them.
    client = await qemu.connect({ maxInFlight: 1000 });
    const schema = await loadSchema(client);
    queries = schema.commands.filter(
      (name) => name.startsWith('query-') && schema.checkArguments(name, {}).length === 0,
    );
    expect(queries.length).toBeGreaterThan(50);
  });
  afterAll(async () => {
    client?.destroy();
    await qemu?.[Symbol.asyncDispose]();
  });

  /** `answered`, or the code of its error, for each of them. */
  const ask = (timeoutMs?: number): Promise<string>[] =>
    queries.map((name) =>
      client.raw(name, {}, timeoutMs === undefined ? {} : { timeoutMs }).then(
        () => 'answered',
        // A machine may lack what it asks for.
        (error: QmpTimeoutError | QmpClosedError | QmpCommandError) =>
          error instanceof QmpCommandError ? 'answered' : `${error.code} ${String(error.sent)}`,
      ),
    );

  test('SIGSTOP: each is a time-out; when QEMU goes on, no answer is taken for another', async () => {
    await qemu.freeze();
    expect(new Set(await Promise.all(ask(500)))).toEqual(new Set(['QMP_TIMEOUT true']));
    expect(client.stats.inFlight).toBe(queries.length);
    qemu.process.kill('SIGCONT');
    const answers = ask();
    expect(await client.execute('query-status')).toMatchObject({ running: true });
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['answered']));
    expect(client.stats).toMatchObject({ lateReplies: queries.length, inFlight: 0 });
  });

  test('SIGKILL while it answers: each has its answer, or the end of the connection', async () => {
    const answers = ask();
    await answers[5];
    qemu.process.kill('SIGKILL');
    const outcomes = await Promise.all(answers);
    expect(outcomes.slice(0, 5)).toEqual(new Array(5).fill('answered'));
    expect(new Set(outcomes.slice(6))).toContain('QMP_CLOSED true');
    expect([...new Set(outcomes)].sort()).toEqual(['QMP_CLOSED true', 'answered']);
    expect(await client.closed).toMatchObject({ reason: expect.stringMatching(/eof|reset/) as string });
  });
});
