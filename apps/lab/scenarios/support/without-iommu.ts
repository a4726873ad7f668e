import { expect, it } from 'vitest';
import { refusalOf } from '../../src/story/refusal.js';
import { setTheScene } from '../../src/story/setting.js';
import { tarballs } from './tarballs.js';

/** What needs a machine of its own: one without an IOMMU. */
export function describeWithoutIommu(profile: string): void {
  it(`without an IOMMU on ${profile}, attach says so`, async () => {
    const setting = await setTheScene({ profile, tarballs, iommu: false });
    try {
      const { lab, sbdf } = setting;
      await lab.createGuest({ name: 'plain', paused: true });
      const refusal = await refusalOf(lab, `xenpt attach plain ${sbdf}`);
      expect(refusal).toMatchObject({ code: 'XENPT_NO_IOMMU', exitCode: 10 });
      expect(refusal.next).toMatch(/VT-d|iommu/);
    } finally {
      await setting.close();
    }
  });
}
