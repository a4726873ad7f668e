import { expect, it } from 'vitest';
import { bytesWritten, everyAccess, fullAt, runningRig } from '../support/full-card.js';

it('XSA-131: registers that nobody described take no write, alone or beside one that does', () => {
  const rig = runningRig();
  const since = rig.device.writes.length;
  const open = (offset: number) =>
    (offset >= fullAt.vendor + 3 && offset < fullAt.vendor + 16) || (offset >= 0xe0 && offset < 0x100);
  for (const [offset, width] of everyAccess.filter(([offset]) => open(offset))) {
    rig.guest().writeConfig(offset, 0xffff_ffff, width);
    rig.guest().writeConfig(offset, 0, width);
  }
  expect(bytesWritten(rig, since)).toEqual(new Set());
});
