import { QmpClient } from '../../src/qmp/client.js';
import type { QmpClientOptions } from '../../src/qmp/options.js';
import { FakeQmp } from '../../src/testing/index.js';

export interface Monitored {
  readonly client: QmpClient;
  readonly fake: FakeQmp;
  close(): Promise<void>;
}

/** A client of a fake QEMU that `prepare` has taught what to answer. */
export async function monitorOf(
  prepare: (fake: FakeQmp) => unknown,
  options: QmpClientOptions = {},
): Promise<Monitored> {
  const fake = new FakeQmp();
  prepare(fake);
  const client = await QmpClient.connect(fake.connect(), options);
  return {
    client,
    fake,
    close: async () => {
      await client.close();
      await fake.close();
    },
  };
}
