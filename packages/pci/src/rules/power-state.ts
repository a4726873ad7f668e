import { deviceFile, type FunctionRule, isWanted } from './rule.js';

export const powerState: FunctionRule = {
  scope: 'function',
  id: 'power-state',
  title: 'The device sleeps while a guest is to have it',
  cause: 'It was left in a low power state by its driver, by a guest, or by a suspend of the host.',
  consequence: 'Its registers do not answer until it is woken; after a suspend of the host many devices stay dead.',
  remedy: 'Wake it before it is attached. Detach devices before the host sleeps and attach them again afterwards.',
  check: (fn) => {
    if (fn.powerState !== 'D3hot' || !fn.config.answers || !isWanted(fn)) return [];
    return [
      {
        effect: 'warns',
        message: 'it is in D3hot',
        evidence: [`${deviceFile(fn, 'power_state')}: D3hot`],
        fix: `echo on > ${deviceFile(fn, 'power/control')}`,
      },
    ];
  },
};
