import { afterAll, beforeAll, describe } from 'vitest';
import { setTheScene, type Setting } from '../../src/story/setting.js';
import { passthroughScenarios } from './passthrough.js';
import { describeSavedMachine } from './saved-machine.js';
import { tarballs } from './tarballs.js';
import { describeWithoutIommu } from './without-iommu.js';

/** All scenarios on one kind of Xen host: most of them on one machine, with xenpt installed once. */
export function describeProfile(profile: string): void {
  describe(profile, () => {
    let setting: Setting;
    beforeAll(async () => {
      setting = await setTheScene({ profile, tarballs });
    });
    afterAll(() => setting?.close());

    passthroughScenarios(() => setting);
  });
  describeSavedMachine(profile);
  describeWithoutIommu(profile);
}
