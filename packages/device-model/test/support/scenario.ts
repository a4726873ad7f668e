import { at } from './network-card.js';
import { cardName, home, placeAll, type Rig } from './rig.js';

/** A life in four parts: attach, firmware, driver with three vectors and a second round, detach. */
export const stages: readonly ((rig: Rig) => void)[] = [
  (rig) => rig.attach(),
  (rig) => placeAll(rig.guest()),
  (rig) => {
    const guest = rig.guest();
    for (let round = 0; round < 2; round += 1) {
      guest.writeConfig(at.msix + 2, 0xc004, 2);
      for (let entry = 0; entry < 3; entry += 1) {
        guest.writeMemory(home.bar3 + entry * 16, 0xfee0_0000);
        guest.writeMemory(home.bar3 + entry * 16 + 8, 0x4030 + entry + round);
        guest.writeMemory(home.bar3 + entry * 16 + 12, 0);
      }
      guest.writeConfig(at.msix + 2, 0x8004, 2);
      guest.placeBar(3, home.bar3 + 0x10_0000 * (round + 1));
      guest.placeBar(3, home.bar3);
      if (round === 0) guest.writeConfig(at.msix + 2, 0x0004, 2);
    }
  },
  (rig) => rig.model.detach(cardName),
];

/** The whole life; gives the number of calls made by the end of each stage. */
export function liveThrough(rig: Rig): number[] {
  return stages.map((stage) => {
    stage(rig);
    return rig.hypervisor.calls.length;
  });
}
