import { formatSbdf, type Sbdf } from '@xenpt/pci';
import { readFunctionSummary } from '@xenpt/pci/sysfs';
import { describeError, XenOperationError } from './errors.js';
import type { XenHost } from './host.js';
import {
  type DeviceIdentity,
  type JournalRecord,
  type JournalStep,
  nextTransactionId,
  type Override,
  ownerOf,
  pruneJournal,
  type TransactionKind,
  writeJournalRecord,
} from './journal.js';
import { toHex } from './journal-config.js';
import { type PlannedStep, planTransaction } from './journal-steps.js';
import { storePath } from './paths.js';
import { hasSlot, readConfig, readDriverOverride, readDriverPath, sysfsOptions } from './pciback.js';
import { type Explain, type OnStep, withRollback } from './steps.js';

export interface TransactionRequest {
  readonly kind: TransactionKind;
  readonly sbdf: Sbdf;
  readonly undoes?: string;
  readonly overrides?: readonly Override[];
  /** `driver_override` to set again when the device is given back. */
  readonly overrideAfter?: string | null;
}

/** What would be journaled, from what the device is now. Writes nothing. */
export function describeTransaction(host: XenHost, request: TransactionRequest): JournalRecord {
  const { sbdf, kind } = request;
  const { sysfs, store } = host;
  return {
    id: nextTransactionId(host),
    kind,
    undoes: request.undoes ?? null,
    sbdf: formatSbdf(sbdf),
    identity: identityOf(host, sbdf),
    bootId: host.bootId,
    startedAt: new Date(host.wallClock()).toISOString(),
    owner: ownerOf(host),
    overrides: request.overrides ?? [],
    before: {
      driver: readDriverPath(sysfs, sbdf) ?? null,
      driverOverride: readDriverOverride(sysfs, sbdf),
      hasSlot: hasSlot(sysfs, sbdf),
      recordedDriver: store.read(storePath.driverPath(sbdf)),
      recordedName: store.read(storePath.assignableName(sbdf)),
      config: toHex(readConfig(sysfs, sbdf)),
    },
    overrideAfter: request.overrideAfter ?? null,
    state: 'running',
    steps: [],
    problems: [],
  };
}

/** What answers at the address now. */
export function identityOf({ sysfs }: Pick<XenHost, 'sysfs'>, sbdf: Sbdf): DeviceIdentity {
  const { vendorId, deviceId, subsystemVendorId, subsystemDeviceId, classCode } = readFunctionSummary(sbdf, {
    ...sysfsOptions(sysfs),
    names: false,
  });
  return { vendorId, deviceId, subsystemVendorId, subsystemDeviceId, classCode };
}

export interface RunOptions {
  /** `make 0000:03:00.0 assignable`; for the error. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  readonly explain?: Explain;
  readonly onStep?: OnStep | undefined;
}

/**
 * Performs a transaction step by step, each in the journal before and after it. Call it with the lock held.
 *
 *     fault point   before      intended     performed      after
 *     journal          │  intended  │            │    done    │
 *     effect           │            │  happens   │            │
 *
 * @returns the id of the transaction
 * @throws XenOperationError; everything done is undone then, or listed in `leftovers` and in the journal.
 */
export async function runTransaction(
  host: XenHost,
  record: JournalRecord,
  { what, signal, explain, onStep }: RunOptions,
): Promise<string> {
  const journal = new RecordWriter(host, record);
  journal.write();
  const options = { signal, onStep, ...(explain === undefined ? {} : { explain }) };
  try {
    await withRollback(what, options, async (steps) => {
      for (const step of planTransaction(host, record)) {
        await steps.guard(
          step.title,
          () => performStep(host, journal, step),
          () => journal.restore(step),
        );
      }
    });
  } catch (error) {
    const leftovers = error instanceof XenOperationError ? error.leftovers : [];
    journal.finish(leftovers.length === 0 ? 'rolled-back' : 'incomplete', [describeError(error), ...leftovers]);
    throw error;
  }
  journal.finish('done', []);
  pruneJournal(host);
  return record.id;
}

async function performStep(host: XenHost, journal: RecordWriter, step: PlannedStep): Promise<void> {
  await host.faultPoint?.(`${step.id}:before`);
  journal.mark(step.id, 'intended');
  await host.faultPoint?.(`${step.id}:intended`);
  step.perform();
  await host.faultPoint?.(`${step.id}:performed`);
  journal.mark(step.id, 'done');
  await host.faultPoint?.(`${step.id}:after`);
}

/** The record of one transaction, as it is on disk. */
export class RecordWriter {
  readonly #host: XenHost;
  #record: JournalRecord;

  constructor(host: XenHost, record: JournalRecord) {
    this.#host = host;
    this.#record = record;
  }

  write(): void {
    writeJournalRecord(this.#host, this.#record);
  }

  mark(id: string, state: JournalStep['state']): void {
    const others = this.#record.steps.filter((step) => step.id !== id);
    this.#record = { ...this.#record, steps: [...others, { id, state }] };
    this.write();
  }

  /** Takes one step back. What the journal cannot keep of it is found out again by looking. */
  restore(step: PlannedStep): void {
    step.restore?.();
    try {
      this.mark(step.id, 'undone');
    } catch {
      // A full disk must not keep a device from its driver; the record stays `running`, which `recover` looks into.
    }
  }

  finish(state: 'done' | 'rolled-back' | 'incomplete', problems: readonly string[]): void {
    this.#record = { ...this.#record, state, problems };
    this.write();
  }
}
