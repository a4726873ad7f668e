import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareObservations, judgeDifferences } from '../../src/config-view/differences.js';
import { comparedDevices } from '../../src/config-view/registers.js';
import { differenceTable } from '../../src/config-view/table.js';
import type { Lab } from '../../src/lab.js';
import { type ModelObservations, probeModel } from './probe-models.js';

/** The same accesses in a guest under QEMU's model and under ours. */
export function configViewScenarios(scene: () => Lab): void {
  describe("configuration space under QEMU's model and ours", () => {
    let lab: Lab;
    let qemu: ModelObservations;
    let ours: ModelObservations;

    const assignable = (verb: 'add' | 'remove') => {
      const places = comparedDevices.map(({ id }) => lab.sbdf(id));
      // The sound card and the second network card have no reset.
      const override = verb === 'add' ? '--no-reset-ok ' : '';
      return lab.run(`xenpt assignable ${verb} ${override}${places.join(' ')}`, { timeoutMs: 180_000 });
    };

    beforeAll(async () => {
      lab = scene();
      await assignable('add');
      qemu = await probeModel(lab, 'QEMU');
      ours = await probeModel(lab, 'xenpt');
    });
    afterAll(() => assignable('remove'));

    it.each(comparedDevices)('$kind: nothing differs but what the table explains', ({ kind }) => {
      const found = compareObservations(qemu.get(kind) ?? [], ours.get(kind) ?? []);
      expect(judgeDifferences(lab.profile, kind, found, differenceTable)).toEqual({ unexplained: [], outdated: [] });
    });

    it.each(comparedDevices)('$kind: under ours every register is afterwards as it was before', ({ kind }) => {
      const seen = ours.get(kind) ?? [];
      const valueOf = (register: string, access: string) =>
        seen.find((one) => one.register === register && one.access === access)?.value;
      const registers = [...new Set(seen.filter(({ access }) => access === 'restored').map((one) => one.register))];
      expect(registers.length).toBeGreaterThan(64);
      for (const register of registers) {
        expect(valueOf(register, 'restored'), register).toBe(valueOf(register, 'read, 1'));
      }
    });
  });
}
