import { afterEach } from 'vitest';
import type { Json } from '@xenpt/qmp-sdk';
import { FakeQmp } from '@xenpt/qmp-sdk/testing';
import type { FakeHost } from '@xenpt/qmp-sdk/xen/testing';

const open: FakeQmp[] = [];
afterEach(async () => {
  for (const qemu of open.splice(0)) await qemu.close();
});

const member = (name: string, type: string, optional = false) => ({
  name,
  type,
  ...(optional ? { default: null } : {}),
});
const object = (name: string, ...members: object[]) => ({ 'meta-type': 'object', name, members });

/** A little of QEMU's schema, in its own form. */
export const smallSchema = [
  { 'meta-type': 'command', name: 'query-status', 'arg-type': 'empty', 'ret-type': 'empty' },
  { 'meta-type': 'command', name: 'query-commands', 'arg-type': 'empty', 'ret-type': 'empty' },
  { 'meta-type': 'command', name: 'set-all', 'arg-type': 'all', 'ret-type': 'empty' },
  { 'meta-type': 'command', name: 'device_add', 'arg-type': 'device', 'ret-type': 'empty' },
  { 'meta-type': 'command', name: 'blockdev-add', 'arg-type': 'block', 'ret-type': 'empty' },
  { 'meta-type': 'event', name: 'STOP', 'arg-type': 'empty' },
  object('empty'),
  object(
    'all',
    member('number', 'int'),
    member('text', 'str', true),
    member('switch', 'bool', true),
    member('choice', 'enum', true),
    member('list', '[int]', true),
    member('nested', 'nested', true),
    member('either', 'alternate', true),
    member('ratio', 'number', true),
  ),
  object('nested', member('deep', 'int')),
  object('device', member('driver', 'str'), member('id', 'str', true)),
  {
    ...object('block', member('driver', 'driver'), member('node-name', 'str', true)),
    tag: 'driver',
    variants: [
      { case: 'null-co', type: 'null-block' },
      { case: 'raw', type: 'raw-block' },
    ],
  },
  object('null-block', member('size', 'int', true)),
  object('raw-block', member('file', 'block')),
  { 'meta-type': 'enum', name: 'driver', values: ['null-co', 'raw'] },
  { 'meta-type': 'enum', name: 'enum', values: ['one', 'two'] },
  { 'meta-type': 'array', name: '[int]', 'element-type': 'int' },
  { 'meta-type': 'alternate', name: 'alternate', members: [{ type: 'str' }, { type: 'null' }] },
  { 'meta-type': 'builtin', name: 'int', 'json-type': 'int' },
  { 'meta-type': 'builtin', name: 'str', 'json-type': 'string' },
  { 'meta-type': 'builtin', name: 'null', 'json-type': 'null' },
  { 'meta-type': 'builtin', name: 'bool', 'json-type': 'boolean' },
  { 'meta-type': 'builtin', name: 'number', 'json-type': 'number' },
];

/** A QEMU that answers on the monitors of domain 5, or on the path given. */
export async function fakeQemu(where: FakeHost | string): Promise<FakeQmp> {
  const qemu = new FakeQmp()
    .on('query-qmp-schema', () => smallSchema as Json)
    .on('set-all', (args) => args)
    .on('device_add', () => ({}))
    .on('blockdev-add', () => ({}));
  open.push(qemu);
  if (typeof where === 'string') await qemu.listen({ unix: where });
  else {
    await qemu.listen({ unix: where.monitors.control(5) });
    await qemu.listen({ unix: where.monitors.statistics(5) });
  }
  return qemu;
}

/** What was asked of it, without the handshake. */
export function asked(qemu: FakeQmp): { command: unknown; args: unknown }[] {
  return qemu.requests
    .filter(({ execute }) => execute !== 'qmp_capabilities')
    .map((request) => ({ command: request['execute'], args: request['arguments'] }));
}
