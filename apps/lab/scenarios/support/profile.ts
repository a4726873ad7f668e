import { afterAll, beforeAll, describe } from 'vitest';
import { setTheScene, type Setting } from '../../src/story/setting.js';
import { accessScenarios, type AccessOptions } from './accesses.js';
import { assignableScenarios } from './assignable.js';
import { bothModelScenarios } from './both-models.js';
import { configViewScenarios } from './config-view.js';
import { cutOffScenarios } from './cut-off.js';
import { dirtyLogScenarios } from './dirty-log.js';
import { dirtyLogTypeScenarios } from './dirty-log-types.js';
import { dirtyRateScenarios } from './dirty-rate.js';
import { guestConfigScenarios } from './guest-config.js';
import { hardTimesScenarios } from './hard-times.js';
import type { MessageWay } from './interrupt-cards.js';
import { type InterruptOptions, interruptScenarios } from './interrupts.js';
import { inventoryScenarios } from './inventory.js';
import { describeManyVectors } from './many-vectors.js';
import { passthroughScenarios } from './passthrough.js';
import { describePulledOut } from './pulled-out.js';
import { qmpScenarios } from './qmp.js';
import { savedGuestScenarios } from './saved-guest.js';
import { describeSavedMachine } from './saved-machine.js';
import { rebootScenarios } from './reboot.js';
import { describeSystemd } from './systemd.js';
import { tarballs } from './tarballs.js';
import { describeWithoutIommu } from './without-iommu.js';

/** Scenarios that `npm test` has time for on one profile at most, and for some of them on none. */
type Group =
  | 'assignable'
  | 'both models'
  | 'configuration view'
  | 'dirty log'
  | 'dirty rate'
  | 'guest configuration'
  | 'interrupts'
  | 'inventory'
  | 'QEMU comparison'
  | 'QMP'
  | 'reboots'
  | 'refusals'
  | 'restarts'
  | 'without an IOMMU';

const thoroughAccesses: AccessOptions = {
  measureMs: 20_000,
  passes: 3,
  // A write of COMMAND goes to the device by both models, and ours takes up to a tenth longer with it.
  goals: { loop: 1, kind: 0.9, p999: 2 },
};

/** `npm run soak`: every group on every profile, and more rounds. */
const soak = process.env['XENPT_SOAK'] === '1';

const interrupts = soak
  ? { trafficSeconds: 60, reloads: 10, reboots: 3, changes: true, hammerMs: 60_000 }
  : { trafficSeconds: 5, reloads: 1, reboots: 0, changes: false, hammerMs: 0 };

/**
 * Up to Xen 4.18 guests are offered pirqs, and Linux takes them if it can have an event channel raise a vector; since
 * then it is xl's option.
 */
const messageWays: Readonly<Record<string, Readonly<Record<MessageWay, InterruptOptions['guest']>>>> = {
  'xen-4.17': { pirqs: {}, vectors: { kernelArguments: ['xen_no_vector_callback'] } },
  'xen-4.20': { pirqs: { extraConfig: ['hvm_pirq=1'] }, vectors: {} },
};

/**
 * The scenarios on one kind of Xen host: most of them on one machine, with xenpt installed once.
 *
 * @param vcpus of the guests whose dirty pages are counted
 * @param messages how the guest of the interrupts takes them in `npm test`; in the soak there is one of each
 * @param groups which `npm test` runs on this profile; `npm run soak` leaves none out
 */
export function describeProfile(
  profile: string,
  {
    vcpus,
    groups,
    messages,
  }: {
    readonly vcpus: number;
    readonly groups: readonly Group[];
    readonly messages: MessageWay;
  },
): void {
  const includes = (group: Group) => soak || groups.includes(group);
  describe(profile, () => {
    let setting: Setting;
    beforeAll(async () => {
      setting = await setTheScene({ profile, tarballs });
    });
    afterAll(() => setting?.close());

    const lab = () => setting.lab;
    if (includes('inventory')) inventoryScenarios(() => setting);
    if (includes('guest configuration')) guestConfigScenarios(lab);
    if (includes('assignable')) assignableScenarios(lab, { thorough: soak });
    passthroughScenarios(() => setting, {
      refuses: includes('refusals'),
      hotPlugs: soak ? 50 : 1,
      comparesWithQemu: includes('QEMU comparison'),
      kills: soak ? 50 : includes('restarts') ? 1 : 0,
      stops: soak,
    });
    for (const way of ['pirqs', 'vectors'] as const) {
      const guest = messageWays[profile]?.[way];
      if (guest && includes('interrupts') && (soak || way === messages)) {
        const { hammerMs } = interrupts;
        interruptScenarios(() => setting, { way, guest, ...interrupts, hammerMs: way === messages ? hammerMs : 0 });
      }
    }
    if (includes('reboots')) rebootScenarios(() => setting, { reboots: soak ? 3 : 1, byBoth: soak });
    if (includes('both models')) bothModelScenarios(() => setting, { rounds: soak ? 5 : 1 });
    if (soak) cutOffScenarios(() => setting, { stride: 1 });
    if (soak) hardTimesScenarios(() => setting);
    if (soak) savedGuestScenarios(() => setting);
    if (soak) accessScenarios(() => setting, thoroughAccesses);
    if (includes('configuration view')) configViewScenarios(lab);
    if (includes('QMP')) qmpScenarios(lab, { xlCommands: soak ? 100 : 5 });
    if (includes('dirty log')) {
      for (const count of soak ? [1, 4] : [vcpus]) dirtyLogScenarios(lab, count);
      dirtyLogTypeScenarios(lab, profile === 'xen-4.17');
    }
    if (includes('dirty rate')) dirtyRateScenarios(lab, { vcpus, migrates: soak });
  });
  describeSavedMachine(profile);
  if (soak) describeSystemd(profile, { kills: 12 });
  if (soak) describePulledOut(profile);
  const guestOf = messageWays[profile];
  if (soak && guestOf) describeManyVectors(profile, guestOf);
  if (includes('without an IOMMU')) describeWithoutIommu(profile);
}
