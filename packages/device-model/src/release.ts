import type { ConfigAccess } from '@xenpt/pci';
import { restoreCommand } from './command.js';
import { DeviceModelError, messageOf } from './errors.js';
import type { Hypervisor } from './hypervisor.js';
import type { Ledger, PirqBook } from './ledger.js';
import { Failures } from './failures.js';
import type { Performer } from './perform.js';

export interface ReleaseParts {
  readonly hypervisor: Hypervisor;
  readonly config: ConfigAccess;
  readonly ledger: Ledger;
  readonly pirqs: PirqBook;
  readonly performer: Performer;
}

/**
 * Gives back what the ledger holds, in reverse of the order in which it was taken: guest access, message interrupts,
 * INTx, BARs, and last what was changed in COMMAND, because Xen needs memory decode to mask an MSI-X entry.
 * A refusal does not stop the rest. May be called again for what is left.
 *
 * @throws DeviceModelError DEVICE_MODEL_RELEASE_INCOMPLETE naming what is left
 */
export function releaseAll(parts: ReleaseParts): void {
  const { hypervisor, ledger } = parts;
  const failures = new Failures();
  const devfn = ledger.guestDevfn;
  if (devfn !== null) {
    const released = failures.attempt(() => hypervisor.releaseFunction(devfn));
    if (released) ledger.guestDevfn = null;
  }
  releaseRest(parts, failures);
  if (failures.errors.length > 0) throw incomplete(ledger, failures.errors);
}

/**
 * The same but for the claim of its configuration space: the guest is to meet an empty slot there, not what QEMU has.
 *
 * @returns what went wrong; `releaseAll` tries it again
 */
export function withdraw(parts: ReleaseParts): readonly unknown[] {
  const failures = new Failures();
  releaseRest(parts, failures);
  return failures.errors;
}

function releaseRest({ hypervisor, config, ledger, pirqs, performer }: ReleaseParts, failures: Failures): void {
  failures.attempt(() => performer.releaseClaims());
  for (const kind of ['msi', 'msi-x'] as const) {
    failures.attempt(() => performer.messages.turnOff(kind));
    failures.attempt(() => performer.messages.releaseAll(kind, true));
  }
  failures.attempt(() => releaseIntx(hypervisor, ledger, pirqs));
  failures.attempt(() => performer.unmapAllBars());
  failures.attempt(() => restoreCommand(config, ledger));
}

/** The hardware half alone, for a domain that is gone and has taken its half with it. */
export function quiesce({ performer, config, ledger }: ReleaseParts): unknown[] {
  const failures = new Failures();
  for (const kind of ['msi', 'msi-x'] as const) failures.attempt(() => performer.messages.turnOff(kind));
  failures.attempt(() => restoreCommand(config, ledger));
  return failures.errors;
}

function releaseIntx(hypervisor: Hypervisor, ledger: Ledger, pirqs: PirqBook): void {
  const { intx } = ledger;
  if (intx === null) return;
  if (intx.bound) {
    hypervisor.unbindIntx(intx.pirq, intx.guestDevice, intx.intx);
    intx.bound = false;
  }
  pirqs.leaveLine(intx.gsi, (pirq) => hypervisor.unmapPirq(pirq));
  ledger.intx = null;
}

function incomplete(ledger: Ledger, errors: readonly unknown[]): DeviceModelError {
  const left = ledger.describe();
  const what = left.length === 0 ? 'nothing is left' : `left: ${left.join(', ')}`;
  return new DeviceModelError(
    'DEVICE_MODEL_RELEASE_INCOMPLETE',
    `${errors.length} step(s) of the release failed, the first with "${messageOf(errors[0])}"; ` +
      `${what}. Detach again to retry.`,
    { left, errors, cause: errors[0] },
  );
}
