import { expect, it } from 'vitest';

import { gradeReset, type ResetInput } from '../../src/inventory/reset-report.js';

const plain = { functionLevelReset: false, advancedFeaturesReset: false, noSoftReset: null };
const grade = (changes: Partial<ResetInput>) =>
  gradeReset({ methods: [], hasReset: true, config: plain, busNeighbours: [], ...changes });
const neighbours = ['0000:02:00.1'];

it.each([
  [{ methods: ['flr', 'bus'], busNeighbours: neighbours }, 'safe', /flr/],
  [{ methods: ['device_specific'] }, 'safe', /alone/],
  [{ methods: ['bus'] }, 'safe', /nothing else/],
  [{ methods: ['bus'], busNeighbours: neighbours }, 'same-guest', /0000:02:00\.1/],
  [{ methods: ['pm'], config: { ...plain, noSoftReset: false } }, 'same-guest', /leaves part/],
  [{ methods: ['pm', 'bus'], config: { ...plain, noSoftReset: false } }, 'same-guest', /chosen in reset_method/],
  [{ methods: ['pm'], config: { ...plain, noSoftReset: true } }, 'host-reboot', /keeps its state/],
  [{ methods: ['warp'] }, 'same-guest', /warp/],
  [{ methods: [] }, 'same-guest', /does not say which/],
  [{ methods: [], hasReset: false }, 'host-reboot', /no way/],
  [{ methods: [], config: { ...plain, functionLevelReset: true } }, 'safe', /flr/],
  [{ methods: [], config: { ...plain, advancedFeaturesReset: true } }, 'safe', /af_flr/],
] as [Partial<ResetInput>, string, RegExp][])('%j is %s', (changes, expected, reason) => {
  expect(grade(changes)).toMatchObject({ grade: expected, reason: expect.stringMatching(reason) as string });
});
