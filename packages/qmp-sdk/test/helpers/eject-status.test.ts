import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ejectedDevice, ejectRefusal } from '../../src/helpers/eject-status.js';

const said = (source: number, status: number) => ({ info: { device: 'd0', source, status } });

test('only an end of an ejection that is no success is a refusal', () => {
  expect(ejectedDevice(said(3, 0))).toBe('d0');
  expect([0, 0x84].map((status) => ejectRefusal(said(3, status)))).toEqual([undefined, undefined]);
  expect(ejectRefusal(said(0x103, 0x81))).toBe('in use by an application (_OST status 0x81)');
  expect(ejectRefusal(said(3, 1))).toBe('failed (_OST status 0x1)');
  // A device that was plugged in could not be taken into use.
  expect(ejectRefusal(said(0, 1))).toBeUndefined();
});

test('whatever comes, it does not throw', () => {
  fc.assert(
    fc.property(fc.anything(), (data) => {
      ejectedDevice(data);
      ejectRefusal({ info: data });
      ejectRefusal(data);
    }),
  );
});
