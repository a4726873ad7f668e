import { PassThrough } from 'node:stream';
import { Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import { latin1Of, transportFromDuplex, transportFromWebStreams } from '../../src/qmp/transport.js';
import { FakeQmp } from '../../src/testing/index.js';

/** A fake with its bytes on two streams: what it says, and what it hears. */
function streams() {
  const fake = new FakeQmp().on('x-echo', (args) => args);
  const peer = fake.connect();
  const said = new PassThrough();
  peer.open({ data: (latin1) => void said.write(latin1, 'latin1'), closed: () => said.end() });
  const heard = new Writable({
    write(chunk: Buffer, _encoding, done) {
      peer.write(chunk.toString('utf8'));
      done();
    },
    final(done) {
      peer.end();
      done();
    },
  });
  return { fake, said, heard };
}

test('web streams carry a session, to its end', async () => {
  const { fake, said, heard } = streams();
  const readable = Readable.toWeb(said) as unknown as ReadableStream<Uint8Array>;
  const writable = Writable.toWeb(heard) as unknown as WritableStream<Uint8Array>;
  const client = await QmpClient.connect(transportFromWebStreams({ readable, writable }, 'web'));
  const args = { text: 'größe 文件 😀', list: [1, 2n ** 64n] };
  expect(await client.raw('x-echo', args)).toEqual(args);
  fake.sessions[0]?.end();
  expect(await client.closed).toMatchObject({ reason: 'eof' });
});

test('a web stream that fails is a reset with its reason', async () => {
  const readable = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('cable cut')) });
  const connecting = QmpClient.connect(transportFromWebStreams({ readable, writable: new WritableStream() }));
  await expect(connecting).rejects.toMatchObject({ phase: 'greeting', cause: { reason: 'reset' } });
  await expect(connecting).rejects.toThrow('cable cut');
});

test('a local close ends both halves of web streams', async () => {
  const { fake, said, heard } = streams();
  const pair = {
    readable: Readable.toWeb(said) as unknown as ReadableStream<Uint8Array>,
    writable: Writable.toWeb(heard) as unknown as WritableStream<Uint8Array>,
  };
  const client = await QmpClient.connect(transportFromWebStreams(pair));
  await client.execute('query-status');
  await client.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(fake.sessions).toHaveLength(0);
});

test('a stream of strings is taken as bytes', async () => {
  const duplex = new PassThrough({ encoding: 'latin1' });
  const chunks: string[] = [];
  transportFromDuplex(duplex).open({ data: (latin1) => chunks.push(latin1), closed: () => undefined });
  duplex.write(Buffer.from([0x7b, 0xe4, 0x80]));
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(chunks.join('')).toBe('{\xe4\x80');
});

test('one character for each byte, of any array of bytes', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) & 0xff);
  expect(latin1Of(bytes)).toBe(Buffer.from(bytes).toString('latin1'));
  expect(latin1Of(Buffer.from(bytes))).toBe(latin1Of(bytes));
});
