import type { ConfigFacts, ResetReport } from './function-record.js';

export interface ResetInput {
  readonly methods: readonly string[];
  readonly hasReset: boolean;
  readonly config: Pick<ConfigFacts, 'functionLevelReset' | 'advancedFeaturesReset' | 'noSoftReset'>;
  /** Every other function of the same bus. */
  readonly busNeighbours: readonly string[];
}

// Linux drivers/pci/pci.c, pci_reset_fn_methods: these reset one function, and all of it. `acpi` is the firmware's
// method (_RST), `device_specific` a quirk written for this very device.
const complete = ['flr', 'af_flr', 'device_specific', 'acpi'] as const;
const busMethods = ['bus', 'cxl_bus'] as const;

/** Grades what a reset of the function is worth to its next user. */
export function gradeReset({ methods, hasReset, config, busNeighbours }: ResetInput): ResetReport {
  const known = methods.length > 0 ? methods : guessMethods(hasReset, config);
  return { methods: known, busNeighbours, ...judge(known, hasReset, config, busNeighbours) };
}

/** Kernels before 5.15 have no `reset_method`: configuration space tells what they would do. */
function guessMethods(hasReset: boolean, config: ResetInput['config']): string[] {
  if (!hasReset) return [];
  if (config.functionLevelReset) return ['flr'];
  if (config.advancedFeaturesReset) return ['af_flr'];
  return config.noSoftReset === false ? ['pm'] : [];
}

/** The kernel takes the first method that works, which nearly always is the first of its list. */
function judge(
  methods: readonly string[],
  hasReset: boolean,
  { noSoftReset }: ResetInput['config'],
  neighbours: readonly string[],
): Pick<ResetReport, 'grade' | 'reason'> {
  const [first] = methods;
  if (first === undefined) {
    return hasReset
      ? { grade: 'same-guest', reason: 'the kernel has a reset for it, but does not say which' }
      : { grade: 'host-reboot', reason: 'the kernel knows no way to reset it' };
  }
  if (isOneOf(complete, first))
    return { grade: 'safe', reason: `${first} resets this function alone, and all of it` };
  if (isOneOf(busMethods, first)) {
    return neighbours.length === 0
      ? { grade: 'safe', reason: 'a reset of its bus hits nothing else' }
      : { grade: 'same-guest', reason: `a reset of its bus would hit ${neighbours.join(', ')} too` };
  }
  if (first !== 'pm') return { grade: 'same-guest', reason: `what its reset ${first} leaves behind is not known` };
  if (noSoftReset === true) {
    return { grade: 'host-reboot', reason: 'its reset is D3hot and back, through which the device keeps its state' };
  }
  const better = methods.some((method) => isOneOf(busMethods, method)) && neighbours.length === 0;
  const hint = better ? '; bus would be complete, and has to be chosen in reset_method' : '';
  return { grade: 'same-guest', reason: `its reset is D3hot and back (pm), which leaves part of its state${hint}` };
}

function isOneOf(list: readonly string[], method: string): boolean {
  return list.includes(method);
}
