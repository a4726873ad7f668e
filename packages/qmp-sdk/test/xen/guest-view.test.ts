import { expect, test } from 'vitest';
import { attach, compareRegisters, guestView } from '../../src/xen/index.js';
import { CARD, failure, readyHost } from './hosts.js';

/** A type 0 header, 8086:10d3. */
function header(command: number): Uint8Array {
  const config = new Uint8Array(256);
  const view = new DataView(config.buffer);
  view.setUint32(0, 0x10d3_8086, true);
  view.setUint16(4, command, true);
  view.setUint32(0x10, 0xfe84_0000, true);
  return config;
}

test('sets guest and host side by side, register by register', () => {
  const rows = compareRegisters({ guest: header(0x0407), host: header(0x0006) });
  expect(rows[0]).toEqual({
    offset: 0,
    width: 2,
    group: 'Header',
    name: 'vendorId',
    guest: 0x8086,
    host: 0x8086,
    differs: false,
  });
  expect(rows.filter(({ differs }) => differs)).toEqual([
    {
      offset: 4,
      width: 2,
      group: 'Header',
      name: 'command',
      guest: 0x0407,
      host: 0x0006,
      differs: true,
      why: expect.stringMatching(/keeps decoding/) as string,
    },
  ]);
});

test('asks the model of the guest', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  host.models.functionView = {
    guest: header(6),
    host: header(6),
    bars: [{ index: 0, kind: 'memory', guestAddress: 0xf000_0000n, mapped: true, refusal: null, rounds: 2 }],
    vectors: [{ index: 0, bound: true, pirq: 54, masked: false }],
  };
  expect(await guestView(host, { domain: 'guest5', device: '03:00.0' })).toMatchObject({
    domid: 5,
    guestSbdf: '0000:00:05.0',
    bars: [{ guestAddress: 0xf000_0000n, rounds: 2 }],
    vectors: [{ pirq: 54 }],
  });
});

test('says when the device is not attached and when the model is gone', async () => {
  const host = await readyHost();
  expect(await failure(guestView(host, { domain: '5', device: CARD }))).toMatchObject({ code: 'XENPT_NOT_ATTACHED' });
  await attach(host, { domain: '5', spec: CARD });
  host.models.kill(5);
  expect(await failure(guestView(host, { domain: '5', device: CARD }))).toMatchObject({
    code: 'XENPT_MODEL_NOT_RUNNING',
  });
});
