import { isBridge } from '../inventory/function-record.js';
import { deviceFile, type FunctionRule } from './rule.js';

export const driverless: FunctionRule = {
  scope: 'function',
  id: 'driverless',
  title: 'No driver has the device, although one is named for it',
  cause:
    'Taking it or giving it back stopped half way: it left one driver, and the next did not take it. `xl ' +
    'pci-assignable-add` leaves it so when pciback refuses.',
  consequence: 'Neither the host nor a guest can use it.',
  remedy: 'Undo what was begun, or bind it by hand.',
  check: (fn) => {
    const { driver, driverOverride, address } = fn;
    if (driver !== null || isBridge(fn) || fn.owner.kind === 'domain') return [];
    if (driverOverride === null) return [];
    return [
      {
        effect: 'warns',
        severity: 'warning',
        message: `it is meant for ${driverOverride} and bound to nothing`,
        evidence: [`${deviceFile(fn, 'driver_override')}: ${driverOverride}`],
        fix:
          driverOverride === 'pciback'
            ? `xenpt assignable add ${address}`
            : `echo ${address} > /sys/bus/pci/drivers_probe`,
      },
    ];
  },
};
