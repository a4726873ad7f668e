import { expect, it } from 'vitest';

import { RegisterTable } from '../../src/config-space/register-table.js';

const nothing = { virtual: 0, reset: 0, shadowWrite: 0, hardwareWrite: 0, rw1c: 0, notify: 0 };

it('denies what nobody described', () => {
  const words = new RegisterTable().words();
  expect(words.length).toBe(64);
  for (const [position, { index, rule }] of words.entries()) {
    expect(index).toBe(position);
    expect(rule).toEqual(nothing);
  }
});

it('shifts a register to its bytes and joins it with its neighbour', () => {
  const table = new RegisterTable();
  const why = 'It is a test.';
  table.place(0x40, { offset: 0, width: 2, reset: 0, guest: { virtual: 0xf00f, shadowWrite: 0x000f, why } }, 0xffff);
  table.place(0x40, { offset: 2, width: 2, reset: 0, rw1c: 0x8001, guest: { virtual: 1, hardwareWrite: 2, why } }, 0);
  expect(table.words()[16]?.rule).toEqual({
    virtual: 0x0001_f00f,
    reset: 0xf00f,
    shadowWrite: 0x000f,
    hardwareWrite: 0x0002_0000,
    rw1c: 0x8000_0000,
    notify: 0,
  });
});

it('conceals only what nobody claimed, and stays inside', () => {
  const table = new RegisterTable();
  table.claim(0xfa, 2);
  table.conceal(0xf9, 100);
  expect(table.words()[62]?.rule).toEqual({ ...nothing, virtual: 0x0000_ff00 });
  expect(table.words()[63]?.rule).toEqual({ ...nothing, virtual: 0xffff_ffff });
});
