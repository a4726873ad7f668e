import { expect, it } from 'vitest';
import { bytesWritten, fullCard, runningRig } from '../support/full-card.js';
import { ioBar, memoryBar } from '../support/network-card.js';
import type { Guest } from '../support/guest.js';

const wide = () =>
  fullCard({
    msix: false,
    resources: [
      memoryBar(0, 0x40_0000_0000n, 1n << 33n, true),
      memoryBar(2, 0x42_0000_0000n, 0x4000n, true),
      ioBar(4, 0xd000n, 0x40n),
      { index: 6, kind: 'rom', start: 0xe000_0000n, sizeBytes: 0x1_0000n, prefetchable: false, is64Bit: false },
    ],
  });

/** Writes a register in pieces of `size` bytes, the last one first when asked. */
function writeInPieces(guest: Guest, offset: number, value: number, size: number, backwards: boolean): void {
  const places = Array.from({ length: 4 / size }, (_, index) => index * size);
  for (const place of backwards ? places.toReversed() : places) {
    guest.writeConfig(offset + place, (value >>> (8 * place)) & (2 ** (8 * size) - 1), size);
  }
}

it.each([
  [4, false],
  [2, false],
  [2, true],
  [1, false],
  [1, true],
])('C8: sizing by writes of %i bytes, backwards %s, and nothing reaches the device', (size, backwards) => {
  const rig = runningRig(wide());
  const guest = rig.guest();
  guest.command(0);
  const since = rig.device.writes.length;
  for (const offset of [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30]) {
    writeInPieces(guest, offset, 0xffff_ffff, size, backwards);
  }
  expect([0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30].map((offset) => guest.readConfig(offset))).toEqual([
    0x0000_0004, 0xffff_fffe, 0xffff_c004, 0xffff_ffff, 0xffff_ffc1, 0, 0xffff_0001,
  ]);
  expect(bytesWritten(rig, since)).toEqual(new Set());
});

it.each([
  [0x10, 0x14],
  [0x14, 0x10],
])('C8: the halves of a 64-bit BAR in either order: 0x%s first', (first, second) => {
  const rig = runningRig(wide());
  const guest = rig.guest();
  guest.command(0);
  const values: Record<number, number> = { 0x10: 0, 0x14: 0x52 };
  for (const offset of [first, second]) guest.writeConfig(offset, values[offset] ?? 0);
  guest.command(2);
  expect(rig.model.view('0000:01:00.0').bars[0]).toMatchObject({ guestAddress: 0x52_0000_0000n, mapped: true });
  expect(rig.hypervisor.violations).toEqual([]);
});
