import type { OwnedFunction } from '../inventory/host-facts.js';
import { deviceFile, type FunctionRule } from './rule.js';

export const notAnswering: FunctionRule = {
  scope: 'function',
  id: 'not-answering',
  title: 'The device answers all ones',
  cause: 'It was pulled out, lost its link, sleeps without power (D3cold), or did not come back from a reset.',
  consequence: 'Every register reads ffffffff: attaching it gives a guest a device that does not exist.',
  remedy: 'Wake it, or remove and rescan it. If it stays gone, only switching the host off and on brings it back.',
  check: (fn) =>
    fn.config.answers
      ? []
      : [
          {
            effect: 'blocks',
            severity: fn.powerState === 'D3cold' ? 'warning' : 'error',
            message:
              fn.powerState === 'D3cold'
                ? 'it sleeps without power (D3cold)'
                : 'its configuration space reads all ones',
            evidence: [deviceFile(fn, 'config')],
            fix:
              fn.powerState === 'D3cold'
                ? `echo on > ${deviceFile(fn, 'power/control')}`
                : [...detachFirst(fn), `echo 1 > ${deviceFile(fn, 'remove')}`, 'echo 1 > /sys/bus/pci/rescan'].join(
                    ' && ',
                  ),
          },
        ],
};

/** A guest that still has it is asked for it before the kernel forgets it. */
function detachFirst({ owner, address }: OwnedFunction): string[] {
  return owner.kind === 'domain' ? [`xenpt detach ${owner.domid} ${address}`] : [];
}
