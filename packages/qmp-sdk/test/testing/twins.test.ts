import { readFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { describe, expect, test } from 'vitest';
import { FakeQmp } from '../../src/testing/index.js';
import { RealQemu } from '../node/real-qemu.js';
import { mustHaveQemus, qemuPrograms, whyNoQemu } from '../support/programs.js';

// What the fake does is what QEMU does: the scripts were said to a QEMU and its answers written down
// (fixtures/record.mjs). Both the fake and the QEMU that is here must answer the same, byte for byte but for times and
// versions. A fake that is right in its author's head only is how a client comes to speak what no QEMU understands.

interface Step {
  readonly client: number;
  readonly say?: string;
  readonly answer?: string;
  readonly leave?: boolean;
}
interface Script {
  readonly name: string;
  readonly pretty: boolean;
  readonly steps: readonly Step[];
}

const fixture = new URL('fixtures/qemu-7.2.json', import.meta.url);
const { scripts } = JSON.parse(readFileSync(fixture, 'utf8')) as { scripts: readonly Script[] };

/** What may differ between two QEMUs that behave the same. */
const essence = (text: string): string =>
  text
    .replace(/"timestamp":\s*\{[^}]*\}/g, '"timestamp": {}')
    .replace(/"qemu":\s*\{[^}]*\},\s*"package":\s*"[^"]*"/g, '"qemu": {}');

class Wire {
  readonly #socket;
  #received = '';

  constructor(address: NetConnectOpts) {
    this.#socket = connect(address);
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (latin1: string) => (this.#received += latin1));
    this.#socket.on('error', () => undefined);
  }

  say(latin1: string): void {
    if (latin1 !== '') this.#socket.write(latin1, 'latin1');
  }

  /** What came, once it is enough. */
  async heard(enough: (text: string) => boolean): Promise<string> {
    while (!enough(essence(this.#received))) await new Promise((resolve) => setTimeout(resolve, 2));
    const text = essence(this.#received);
    this.#received = '';
    return text;
  }

  leave(): void {
    this.#socket.destroy();
  }
}

/** Says the script and expects its answers. */
async function play(address: NetConnectOpts, { steps }: Script): Promise<void> {
  const wires = new Map<number, Wire>();
  for (const { client, say = '', answer = '', leave } of steps) {
    const wire = wires.get(client) ?? new Wire(address);
    wires.set(client, wire);
    if (leave === true) wire.leave();
    else {
      wire.say(say);
      const expected = essence(answer);
      expect(await wire.heard((text) => text.length >= expected.length)).toBe(expected);
    }
  }
  for (const wire of wires.values()) wire.leave();
}

async function serveFake(pretty: boolean): Promise<AsyncDisposable & { readonly address: NetConnectOpts }> {
  const fake = new FakeQmp({ pretty, running: false }).on('query-name', () => ({}));
  const address = (await fake.listen({ port: 0 })) as { host: string; port: number };
  return { address, [Symbol.asyncDispose]: () => fake.close() };
}

test.each(scripts)('the fake answers as QEMU did: $name', async (script) => {
  await using fake = await serveFake(script.pretty);
  await play(fake.address, script);
});

/** How a syntax error is answered: QEMU may report one several times, and in words that change. */
async function breakAndMend(address: NetConnectOpts): Promise<string[]> {
  const wire = new Wire(address);
  wire.say('{"execute":"qmp_capabilities"}');
  await wire.heard((text) => text.includes('return'));
  const kinds: string[] = [];
  for (const broken of ['{"execute": }', '{"execute":"query-n\xff', '{"execute":"query-name","id":"a","id":"b"}']) {
    wire.say(broken);
    wire.say('\xff{"execute":"query-name","id":1}');
    const text = await wire.heard((heard) => heard.includes('"id": 1}\r\n'));
    const [first = ''] = text.split('\r\n');
    kinds.push(
      first.replace(/(\d+:\d+: )?JSON parse error, .*"/, 'JSON parse error"'),
      text.slice(text.indexOf('{"return"')),
    );
  }
  wire.leave();
  return kinds;
}

const refused = '{"error": {"class": "GenericError", "desc": "JSON parse error"}}';
const mended = '{"return": {}, "id": 1}\r\n';
const refusedThreeTimes = [refused, mended, refused, mended, refused, mended];

test('after a syntax error, which has no id, the fake goes on', async () => {
  await using fake = await serveFake(false);
  expect(await breakAndMend(fake.address)).toEqual(refusedThreeTimes);
});

const emulators = qemuPrograms.filter(
  ({ binary, command }) => binary.startsWith('qemu-system') && command.length === 1,
);
if (emulators.length === 0 && mustHaveQemus) test('a QEMU to compare with', () => expect.fail(whyNoQemu));

describe.each(emulators)(
  'QEMU $version ($command) answers as the one that was recorded',
  ({ command: [program] }) => {
    test.each(scripts)('$name', async (script) => {
      await using qemu = await new RealQemu({ a: script.pretty ? ',pretty=on' : '' }, program).ready();
      await play({ path: qemu.socket() }, script);
    });

    test('after a syntax error, which has no id, it goes on', async () => {
      await using qemu = await new RealQemu({ a: '' }, program).ready();
      expect(await breakAndMend({ path: qemu.socket() })).toEqual(refusedThreeTimes);
    });
  },
);
