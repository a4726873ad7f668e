import { describe, expect, it } from 'vitest';
import { compileWith } from './compile.js';

const pinned = [
  "import { connect, supervise } from '../../src/node/pinned.js';",
  "import type { Commands, Events } from '../../src/types/qemu-10.0.js';",
  "const dial = () => connect<Commands, Events>({ unix: '/run/vm.qmp' });",
  'const client = await dial();',
  "export const { status } = await client.execute('query-status');",
  "client.addEventListener('STOP', ({ detail }) => detail.timestamp, { once: true });",
  "for await (const { event } of client.events('STOP')) event.trim();",
  "export const supervisor = supervise(dial, { resync: async (vm) => void (await vm.execute('query-jobs')) });",
];
// What a program for Node has: no DOM.
const node = { lib: ['lib.es2023.d.ts'], types: ['node'] };

describe('a program that pins the types of one QEMU', () => {
  const { diagnostics, files } = compileWith({ 'pinned.mts': pinned.join('\n') }, node);

  it('is right without the types of the DOM', () => {
    expect(diagnostics).toEqual([]);
  });

  it('loads no other types of QEMU', () => {
    expect(files.filter((file) => file.endsWith('.generated.ts'))).toEqual(['qemu-10.0.generated.ts']);
    expect(files).not.toContain('lib.dom.d.ts');
  });
});

it('the default client is right without the types of the DOM too', () => {
  const text = [
    "import { QmpClient, QmpSupervisor } from '../../src/index.js';",
    "import { connect, listen } from '../../src/node/index.js';",
    "const client: QmpClient = await connect({ unix: '/run/vm.qmp' });",
    "export const { status } = await client.execute('query-status');",
    'export const right: boolean = (client as object) instanceof QmpClient;',
    'export const supervisor: QmpSupervisor | undefined = undefined;',
    'export const called: QmpClient = await (await listen({ port: 0 })).accept();',
  ];
  expect(compileWith({ 'default.mts': text.join('\n') }, node).diagnostics).toEqual([]);
});
