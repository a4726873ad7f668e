import { expect, test } from 'vitest';
import type { QmpClient } from '../../src/qmp/client.js';
import { supervise, type SupervisorChange } from '../../src/qmp/supervisor.js';
import type { DefaultCommands, DefaultEvents } from '../../src/qmp/default-maps.js';
import type { TranscriptEntry } from '../../src/qmp/transcript.js';
import { describeQemus, Qemu } from '../support/qemu.js';

describeQemus('a supervisor at a real QEMU', (program) => {
  test('killed and started again: the gap is told, and nothing is repeated', async () => {
    await using qemu = new Qemu(['-machine', 'none'], { program });
    const said: string[][] = [];
    const resynced: QmpClient[] = [];
    await using supervisor = supervise(
      async () => {
        const commands: string[] = [];
        const record = (dir: TranscriptEntry['dir'], msg: TranscriptEntry['msg']): void => {
          if (dir === '>') commands.push(msg['execute'] as string);
        };
        const client = await qemu.connect({ connectTimeoutMs: 60_000, transcript: { record } });
        said.push(commands);
        return client;
      },
      {
        minDelayMs: 10,
        identify: () => Promise.resolve(String(qemu.process.pid)),
        resync: async (client) => {
          await client.execute('query-status');
          resynced.push(client);
        },
      },
    );
    const changes = supervisor.changes();
    const next = async () => (await changes.next()).value as SupervisorChange<DefaultCommands, DefaultEvents>;
    const first = await supervisor.ready();
    expect(await next()).toEqual({ type: 'connected', client: first });
    expect(await first.execute('query-status')).toMatchObject({ running: true });

    // The connection goes, QEMU stays.
    const stop = first.execute('stop');
    first.destroy();
    await expect(stop).rejects.toMatchObject({ code: 'QMP_CLOSED' });
    const second = await next();
    expect(second).toMatchObject({ type: 'gap', sameInstance: true, closeInfo: { reason: 'local' } });

    // QEMU goes in the middle of a command, and comes back.
    const { client } = second;
    await qemu.freeze();
    const lost = client.execute('stop');
    await new Promise((resolve) => setTimeout(resolve, 50));
    qemu.process.kill('SIGKILL');
    await expect(lost).rejects.toMatchObject({ code: 'QMP_CLOSED', sent: true, outcome: 'unknown' });
    await qemu.restart();
    const third = await next();
    expect(third).toMatchObject({ type: 'gap', sameInstance: false });
    expect(third.client).toBe(await supervisor.ready());
    expect(resynced).toEqual([first, client, third.client]);
    expect(await third.client.execute('query-status')).toMatchObject({ running: true });
    expect(said.at(-1)).toEqual(['qmp_capabilities', 'query-status', 'query-status']);
    expect(said.flat().filter((command) => command === 'stop').length).toBeLessThanOrEqual(2);
  });
});
