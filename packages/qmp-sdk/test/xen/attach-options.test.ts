import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attach, type DeviceOptions, type ModelClient, type XenHost } from '../../src/xen/index.js';
import { type FakeHost, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, eachFailingCall, failure, readyHost } from './hosts.js';

/** A vendor's own capability of 16 bytes at 90h. */
function config(): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x10d3_8086, true);
  view.setUint16(6, 0x10, true);
  bytes[0x34] = 0x90;
  bytes.set([0x09, 0, 16], 0x90);
  return bytes;
}

/** The shortest ROM: one image of 512 bytes. */
function romImage(): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xaa55, true);
  view.setUint16(0x18, 0x1c, true);
  view.setUint32(0x1c, 0x5249_4350, true);
  view.setUint16(0x2c, 1, true);
  view.setUint8(0x31, 0x80);
  return bytes;
}

const prepare = () => readyHost({ functions: [{ ...fakeNetworkCard, config: config() }] });
const attachWith = async (options: DeviceOptions) => {
  const host = await prepare();
  await attach(host, { domain: '5', spec: CARD, ...options });
  return host.models;
};

test('what is not asked for is not said', async () => {
  expect((await attachWith({})).opened).toEqual({});
  expect((await attachWith({ permissive: false, allow: [] })).opened).toEqual({});
});

test('fields, all of them, and no ROM', async () => {
  const allow = ['vendor-specific@0x90+4:0xff', 'device-specific@0xe0+0:0x1'];
  expect((await attachWith({ allow })).opened).toEqual({ allow });
  expect((await attachWith({ permissive: true, rom: 'off' })).opened).toEqual({ permissive: true, rom: 'off' });
});

test('the bytes of a ROM go by a file of ours, which is gone when the model has them', async () => {
  const host = await prepare();
  const file = join(host.runDir, 'domain-5', 'rom.bin');
  const seen: { mode?: number; bytes?: Uint8Array } = {};
  const startModel = host.startModel.bind(host);
  const watching: XenHost = Object.assign(Object.create(host) as FakeHost, {
    startModel: async (domid: number, handle: string): Promise<ModelClient> => {
      const model = await startModel(domid, handle);
      const look = (request: Parameters<ModelClient['attach']>[0]) => {
        seen.mode = statSync(file).mode & 0o777;
        seen.bytes = readFileSync(file);
        return model.attach(request);
      };
      return { ...model, attach: look };
    },
  });
  await attach(watching, { domain: '5', spec: CARD, rom: romImage() });
  expect(host.models.opened).toEqual({ rom: 'file' });
  expect(seen.mode).toBe(0o600);
  expect(Uint8Array.from(seen.bytes ?? [])).toEqual(romImage());
  expect(existsSync(file)).toBe(false);
});

test('the device’s own ROM is copied from the kernel', async () => {
  const host = await prepare();
  writeFileSync(join(host.sysfs.root, 'sys/bus/pci/devices', CARD, 'rom'), romImage());
  // A file, unlike the kernel's attribute, keeps what is written to switch it on and off.
  expect(await failure(attach(host, { domain: '5', spec: CARD, rom: 'on' }))).toMatchObject({
    code: 'XENPT_OPTION_REFUSED',
    message: expect.stringContaining('0xaa') as string,
  });
});

describe('what cannot be is refused before anything is touched', () => {
  const cases: readonly (readonly [string, DeviceOptions, string, RegExp, RegExp])[] = [
    ['a typo', { allow: ['vendor-specific'] }, 'XENPT_SPEC_SYNTAX', /names no field/, /GROUP@OFFSET/],
    [
      'a wrong name',
      { allow: ['vendor-specfic@0x90+4:0xff'] },
      'XENPT_OPTION_REFUSED',
      /no such capability/,
      /Did you mean vendor-specific@0x90\?/,
    ],
    [
      'a wrong place',
      { allow: ['vendor-specific@0x94+4:0xff'] },
      'XENPT_OPTION_REFUSED',
      /no such capability/,
      /Did you mean vendor-specific@0x90\?/,
    ],
    [
      'no such capability',
      { allow: ['msi@0x50+4:0xff'] },
      'XENPT_OPTION_REFUSED',
      /no such capability/,
      /It has vendor-specific@0x90/,
    ],
    ['a BAR', { allow: ['device-specific@0x10+0:0xff'] }, 'XENPT_OPTION_REFUSED', /not between 0x40/, /--denied/],
    ['what is no ROM', { rom: new Uint8Array(512) }, 'XENPT_OPTION_REFUSED', /no expansion ROM/, /vendor’s file/],
    ['a ROM that is not there', { rom: 'on' }, 'XENPT_OPTION_REFUSED', /has no expansion ROM/, /Name a file/],
  ];
  test.each(cases)('%s', async (_name, options, code, message, next) => {
    const host = await prepare();
    const before = host.dump();
    const error = await failure(attach(host, { domain: '5', spec: CARD, ...options }));
    expect(error).toMatchObject({ code, outcome: 'untouched' });
    expect(error.message).toMatch(message);
    expect(error.next).toMatch(next);
    expect(host.dump()).toEqual(before);
  });
});

test('whichever call fails, no ROM stays behind', async () => {
  const options = { domain: '5', spec: CARD, rom: romImage() };
  await eachFailingCall(
    prepare,
    (host) => attach(host, options),
    (host, before) => {
      expect(host.dump()).toEqual(before);
      expect(existsSync(join(host.runDir, 'domain-5', 'rom.bin'))).toBe(false);
    },
  );
});
