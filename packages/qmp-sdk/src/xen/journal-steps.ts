import { parseSbdf, type Sbdf, sbdfToNumber } from '@xenpt/pci';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import { DOMID_IO, RDM_RELAXED, type Store, type Sysfs, type Toolstack } from './host.js';
import { removeIfEmpty } from './in-use.js';
import { barsOf, configDifferences } from './journal-config.js';
import type { JournalRecord } from './journal.js';
import { deviceIn, type TransactedDevice } from './journal-device.js';
import { storePath, sysfsPath } from './paths.js';
import { driverName } from './pciback.js';

/**
 * One effect with its opposite. Both look at what *is* before they write, so that they can be repeated after a kill at
 * any place: `perform` does nothing when it is done already, `restore` nothing when it was not done.
 */
export interface PlannedStep {
  /** Stable: in the journal, and the name of its fault points. */
  readonly id: string;
  /** For people: `unbind from e1000e`. */
  readonly title: string;
  /** What a dry run prints, one line for each write. */
  readonly writes: readonly string[];
  readonly perform: () => void;
  readonly restore?: () => void;
}

export interface PlanHost {
  readonly store: Store;
  readonly sysfs: Sysfs;
  readonly toolstack: Pick<Toolstack, 'assignDevice' | 'deassignDevice'>;
}

/**
 * The steps of a transaction, from what the device was before it. The same record gives the same steps.
 *
 * @param device what they look at and write to; left out: that of the host
 */
export function planTransaction(host: PlanHost, record: JournalRecord, device?: TransactedDevice): PlannedStep[] {
  const plan = new Plan(host, record, device ?? deviceIn(host.sysfs, parseSbdf(record.sbdf)));
  return record.kind === 'assignable-add' ? plan.add() : plan.remove();
}

class Plan {
  readonly #host: PlanHost;
  readonly #record: JournalRecord;
  readonly #device: TransactedDevice;
  readonly #sbdf: Sbdf;

  constructor(host: PlanHost, record: JournalRecord, device: TransactedDevice) {
    this.#host = host;
    this.#record = record;
    this.#device = device;
    this.#sbdf = parseSbdf(record.sbdf);
  }

  /** From its driver to pciback and into quarantine. */
  add(): PlannedStep[] {
    const { driver, driverOverride, hasSlot: expected } = this.#record.before;
    if (driver === sysfsPath.pciback) return [this.#enterQuarantine()];
    return [
      ...(driver === null ? [] : [this.#recordDriver(driver), this.#leaveDriver(driver)]),
      // With an override the kernel lets no other driver bind (drivers/pci/pci-driver.c, pci_match_device).
      ...(driverOverride === null ? [] : [this.#setOverride('clear-override', driverOverride, null)]),
      ...(expected ? [] : [this.#addSlot()]),
      this.#enterPciback(),
      this.#checkDevice(),
      this.#enterQuarantine(),
    ];
  }

  /** The way back. */
  remove(): PlannedStep[] {
    const { before, overrideAfter } = this.#record;
    const target = before.recordedDriver;
    return [
      this.#leaveQuarantine(),
      this.#leavePciback(),
      ...(before.hasSlot ? [this.#removeSlot()] : []),
      // One that names pciback, as udev's rule sets it at boot, would keep the driver off.
      ...(before.driverOverride === overrideAfter
        ? []
        : [this.#setOverride('restore-override', before.driverOverride, overrideAfter)]),
      this.#repairConfig(),
      ...(target === null || target === sysfsPath.pciback ? [] : [this.#enterDriver(target)]),
      this.#forget(),
    ];
  }

  #recordDriver(driver: string): PlannedStep {
    const { store } = this.#host;
    const node = storePath.driverPath(this.#sbdf);
    const { recordedDriver } = this.#record.before;
    return {
      id: 'record-driver',
      title: 'record the driver',
      writes: [`xenstore ${node} = "${driver}"`],
      perform: () => store.write(node, driver),
      restore: () => {
        if (store.read(node) === recordedDriver) return;
        if (recordedDriver !== null) store.write(node, recordedDriver);
        else {
          store.transaction((view) => {
            view.remove(node);
            removeIfEmpty(view, storePath.functionInfo(this.#sbdf));
          });
        }
      },
    };
  }

  #leaveDriver(driver: string): PlannedStep {
    return {
      id: 'unbind',
      title: `unbind from ${driverName(driver)}`,
      writes: [this.#control(`${driver}/unbind`)],
      perform: () => this.#leave(driver),
      restore: () => {
        if (this.#driver() === driver) return;
        this.#repair();
        this.#enter(driver);
      },
    };
  }

  #enterDriver(driver: string): PlannedStep {
    return {
      id: 'bind-driver',
      title: `bind to ${driverName(driver)}`,
      writes: [this.#control(`${driver}/bind`)],
      perform: () => this.#enter(driver),
      restore: () => this.#leave(driver),
    };
  }

  #enterPciback(): PlannedStep {
    return {
      id: 'bind-pciback',
      title: 'bind to pciback',
      writes: [this.#control(sysfsPath.pcibackBind)],
      perform: () => this.#enter(sysfsPath.pciback),
      restore: () => this.#leave(sysfsPath.pciback),
    };
  }

  #leavePciback(): PlannedStep {
    return {
      id: 'unbind-pciback',
      title: 'unbind from pciback',
      writes: [this.#control(sysfsPath.pcibackUnbind)],
      perform: () => this.#leave(sysfsPath.pciback),
      restore: () => this.#enter(sysfsPath.pciback),
    };
  }

  #addSlot(): PlannedStep {
    return {
      id: 'new-slot',
      title: 'announce it to pciback',
      writes: [this.#control(sysfsPath.pcibackNewSlot)],
      perform: () => this.#expect(true),
      restore: () => this.#expect(false),
    };
  }

  #removeSlot(): PlannedStep {
    return {
      id: 'remove-slot',
      title: 'withdraw it from pciback',
      writes: [this.#control(sysfsPath.pcibackRemoveSlot)],
      perform: () => this.#expect(false),
      restore: () => this.#expect(true),
    };
  }

  #setOverride(id: string, from: string | null, to: string | null): PlannedStep {
    const path = sysfsPath.driverOverride(this.#sbdf);
    const set = (override: string | null): void => {
      // An empty line takes it away (Documentation/ABI/testing/sysfs-bus-pci).
      if (this.#device.driverOverride() !== override) this.#device.write(path, `${override ?? ''}\n`);
    };
    return {
      id,
      title: to === null ? `take away the override ${from}` : `set the override ${to} again`,
      writes: [`"${to ?? ''}" > ${path}`],
      perform: () => set(to),
      restore: () => set(from),
    };
  }

  #enterQuarantine(): PlannedStep {
    const { store } = this.#host;
    const already = this.#record.before.driver === sysfsPath.pciback;
    return {
      id: 'quarantine',
      title: 'put into quarantine',
      writes: [`xc_assign_device domain ${DOMID_IO} (quarantine) ${this.#record.sbdf}`],
      perform: () => {
        // A guest that has the device keeps it: the same as with xl.
        if (store.read(storePath.inUse(this.#sbdf)) === null) this.#quarantine();
      },
      restore: () => {
        if (!already) this.#deassign();
      },
    };
  }

  #leaveQuarantine(): PlannedStep {
    const id = 'leave-quarantine';
    // After a kill nobody knows: then it is put back, which is the safer of the two.
    const wasTried = this.#record.steps.some((step) => step.id === id);
    let wasIn = true;
    return {
      id,
      title: 'take out of quarantine',
      writes: [`xc_deassign_device domain ${DOMID_IO} (quarantine) ${this.#record.sbdf}`],
      perform: () => {
        wasIn = this.#deassign() || wasTried;
      },
      restore: () => {
        if (wasIn) this.#quarantine();
      },
    };
  }

  /** After pciback's own reset: the same card, with its addresses. */
  #checkDevice(): PlannedStep {
    const { before, sbdf } = this.#record;
    return {
      id: 'check',
      title: 'check that the device answers as before',
      writes: [],
      perform: () => {
        const differences = configDifferences(before.config, this.#device.config());
        if (differences.length === 0) return;
        throw new XenOperationError(
          XenErrorCode.deviceBroken,
          `${sbdf} does not answer as before its reset: ${differences.join(', ')}`,
          { next: `Look at it with: lspci -xs ${sbdf}. If it answers ffffffff, only a restart of the host helps.` },
        );
      },
    };
  }

  #repairConfig(): PlannedStep {
    return {
      id: 'repair-config',
      title: 'look whether its addresses are still there',
      writes: [],
      perform: () => this.#repair(),
    };
  }

  #forget(): PlannedStep {
    const { store } = this.#host;
    const { recordedDriver, recordedName } = this.#record.before;
    const nodes = { driver: storePath.driverPath(this.#sbdf), name: storePath.assignableName(this.#sbdf) };
    return {
      id: 'forget',
      title: 'forget the recorded driver',
      writes: [`xenstore-rm ${nodes.driver}`],
      perform: () =>
        store.transaction((view) => {
          view.remove(nodes.driver);
          view.remove(nodes.name);
          view.remove(storePath.inUse(this.#sbdf));
          removeIfEmpty(view, storePath.functionInfo(this.#sbdf));
        }),
      restore: () => {
        if (recordedDriver !== null) store.write(nodes.driver, recordedDriver);
        if (recordedName !== null) store.write(nodes.name, recordedName);
      },
    };
  }

  #driver(): string | undefined {
    return this.#device.driver();
  }

  #leave(driver: string): void {
    if (this.#driver() !== driver) return;
    this.#device.write(`${driver}/unbind`, this.#record.sbdf);
    const now = this.#driver();
    if (now === undefined) return;
    throw new XenOperationError(XenErrorCode.stepFailed, `${this.#record.sbdf} is still bound to ${now}`, {
      next: 'See `dmesg`: the driver may wait for somebody who uses the device.',
    });
  }

  /** Binds it and looks whether the kernel did it. */
  #enter(driver: string): void {
    if (this.#driver() === driver) return;
    this.#device.write(`${driver}/bind`, this.#record.sbdf);
    const now = this.#driver();
    if (now === driver) return;
    throw new XenOperationError(
      XenErrorCode.stepFailed,
      `the kernel took "${this.#record.sbdf} > ${driver}/bind" but the driver is now ${now ?? 'none'}`,
      { next: 'See `dmesg` for the reason of the driver.' },
    );
  }

  #expect(wanted: boolean): void {
    if (this.#device.hasSlot() === wanted) return;
    this.#device.write(wanted ? sysfsPath.pcibackNewSlot : sysfsPath.pcibackRemoveSlot, this.#record.sbdf);
  }

  #quarantine(): void {
    if (this.#driver() !== sysfsPath.pciback) return;
    this.#host.toolstack.assignDevice(DOMID_IO, sbdfToNumber(this.#sbdf), RDM_RELAXED);
  }

  /** A device that no tool put into quarantine is with dom0 already: Xen then answers ENODEV. */
  #deassign(): boolean {
    try {
      this.#host.toolstack.deassignDevice(DOMID_IO, sbdfToNumber(this.#sbdf));
      return true;
    } catch (error) {
      if (['ENODEV', 'EOPNOTSUPP'].includes(errnoName(error) ?? '')) return false;
      throw error;
    }
  }

  /** Base addresses that a reset without restore wiped out; only while no driver works with the device. */
  #repair(): void {
    if (this.#driver() !== undefined) return;
    for (const { offset, value } of barsOf(this.#record.before.config, this.#device.config())) {
      this.#device.writeConfig(offset, value);
    }
  }

  #control(path: string): string {
    return `"${this.#record.sbdf}" > ${path}`;
  }
}
