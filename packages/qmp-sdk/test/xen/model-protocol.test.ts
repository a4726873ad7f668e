import { expect, test } from 'vitest';
import { decodeView, encodeView, parseRequest } from '../../src/xen/model-protocol.js';

const view = { guest: new Uint8Array(256), host: new Uint8Array(256), bars: [], vectors: [] };

test('what was denied crosses the socket, and a model that does not know of it is understood', () => {
  const denied = [{ offset: 0x84, mask: 0x81, count: 3 }];
  expect(decodeView(JSON.parse(JSON.stringify(encodeView({ ...view, denied })))).denied).toEqual(denied);
  expect('denied' in decodeView(JSON.parse(JSON.stringify(encodeView(view))))).toBe(false);
});

const attach = (params: object) =>
  parseRequest(
    JSON.stringify({ id: 1, method: 'attach', params: { sbdf: '0000:01:00.0', guestDevfn: 40, ...params } }),
  );

test('what the operator opens crosses with an attach', () => {
  const opened = { allow: ['vendor-specific@0x90+4:0xff'], permissive: true };
  expect(attach(opened).params).toMatchObject(opened);
  expect(attach({}).params).toEqual({ sbdf: '0000:01:00.0', guestDevfn: 40 });
});

test.each([
  { allow: 'vendor-specific@0x90+4:0xff' },
  { allow: [1] },
  { allow: ['x'.repeat(65)] },
  { allow: Array.from({ length: 65 }, () => 'device-specific@0xe0+0:0x1') },
  { permissive: 1 },
])('%j is refused', (params) => {
  expect(() => attach(params)).toThrow(/params\./);
});
