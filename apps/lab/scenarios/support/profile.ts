import { afterAll, beforeAll, describe } from 'vitest';
import { setTheScene, type Setting } from '../../src/story/setting.js';
import { dirtyLogScenarios } from './dirty-log.js';
import { dirtyRateScenarios } from './dirty-rate.js';
import { passthroughScenarios } from './passthrough.js';
import { qmpScenarios } from './qmp.js';
import { describeSavedMachine } from './saved-machine.js';
import { tarballs } from './tarballs.js';
import { describeWithoutIommu } from './without-iommu.js';

/**
 * All scenarios on one kind of Xen host: most of them on one machine, with xenpt installed once.
 *
 * @param vcpus of the guests whose dirty pages are counted
 */
export function describeProfile(profile: string, { vcpus }: { readonly vcpus: number }): void {
  describe(profile, () => {
    let setting: Setting;
    beforeAll(async () => {
      setting = await setTheScene({ profile, tarballs });
    });
    afterAll(() => setting?.close());

    const lab = () => setting.lab;
    passthroughScenarios(() => setting);
    qmpScenarios(lab);
    dirtyLogScenarios(lab, vcpus);
    dirtyRateScenarios(lab, vcpus);
  });
  describeSavedMachine(profile);
  describeWithoutIommu(profile);
}
