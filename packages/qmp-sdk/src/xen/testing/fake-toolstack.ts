import { DOMID_IO, type DomainInfo, type Toolstack } from '../host.js';
import { FakeCallError, type Journal } from './journal.js';

export interface FakeDomain extends DomainInfo {
  /** Created with passthrough="…": Xen keeps an IOMMU context for it. */
  readonly iommu: boolean;
}

/** A domain that can be given a device, to be changed where a test wants another. */
export function fakeDomain(
  domid: number,
  changes: Partial<Omit<FakeDomain, 'flags'>> & { flags?: Partial<DomainInfo['flags']> } = {},
): FakeDomain {
  const { flags, ...rest } = changes;
  return {
    domid,
    shutdownCode: 0,
    maxVcpuId: 0,
    handle: `00000000-0000-4000-8000-${String(domid).padStart(12, '0')}`,
    iommu: true,
    ...rest,
    flags: { dying: false, hvm: true, shutdown: false, paused: true, ...flags },
  };
}

/**
 * Xen's ledger of domains, devices and permissions, with the answers of xen/drivers/passthrough/pci.c. Stricter than
 * Xen where Xen would keep quiet: granting twice is an error here.
 */
export class FakeToolstack implements Toolstack {
  readonly domains = new Map<number, FakeDomain>();
  /** SBDF to owner; every device of the host starts with dom0. */
  readonly owners = new Map<number, number>();
  readonly #quarantined = new Set<number>();
  readonly #permissions = new Set<string>();
  readonly #pauses = new Map<number, number>();
  readonly #journal: Journal;
  /** False: iommu=off. */
  iommuEnabled = true;
  commandLine = 'console=com1 iommu=required';
  /** errno that the next assignment to a guest meets, as after an unclean use of the device. */
  assignError: string | undefined;

  constructor(journal: Journal, devices: readonly number[]) {
    this.#journal = journal;
    for (const sbdf of devices) this.owners.set(sbdf, 0);
  }

  domainInfo(domid: number): DomainInfo | null {
    this.#journal.enter('xc_domain_getinfolist', domid);
    return this.domains.get(domid) ?? null;
  }

  domainList(): DomainInfo[] {
    this.#journal.enter('xc_domain_getinfolist');
    return [...this.domains.values()];
  }

  physInfo(): { hvmDirectIo: boolean } {
    this.#journal.enter('xc_physinfo');
    return { hvmDirectIo: this.iommuEnabled };
  }

  xenVersion(): { commandLine: string } {
    this.#journal.enter('xc_version');
    return { commandLine: this.commandLine };
  }

  pause(domid: number): void {
    this.#journal.enter('xc_domain_pause', domid);
    this.#countPause('xc_domain_pause', domid, 1);
  }

  unpause(domid: number): void {
    this.#journal.enter('xc_domain_unpause', domid);
    this.#countPause('xc_domain_unpause', domid, -1);
  }

  testAssignDevice(domid: number, sbdf: number): void {
    const call = 'xc_test_assign_device';
    this.#journal.enter(call, domid, sbdf);
    this.#requireIommu(call, domid);
    const owner = this.owners.get(sbdf);
    if (owner !== 0 && owner !== DOMID_IO) throw new FakeCallError(call, 'EINVAL');
  }

  assignDevice(domid: number, sbdf: number, flags: number): void {
    const call = 'xc_assign_device';
    this.#journal.enter(call, domid, sbdf, flags);
    this.#requireIommu(call, domid);
    const owner = this.owners.get(sbdf);
    if (owner === undefined) throw new FakeCallError(call, 'ENODEV');
    if (owner !== 0 && owner !== DOMID_IO) throw new FakeCallError(call, 'EBUSY');
    if (domid !== DOMID_IO && this.assignError !== undefined) throw new FakeCallError(call, this.assignError);
    if (domid === DOMID_IO) this.#quarantined.add(sbdf);
    this.owners.set(sbdf, domid);
  }

  deassignDevice(domid: number, sbdf: number): void {
    const call = 'xc_deassign_device';
    this.#journal.enter(call, domid, sbdf);
    this.#requireIommu(call, domid);
    if (this.owners.get(sbdf) !== domid) throw new FakeCallError(call, 'ENODEV');
    const toQuarantine = this.#quarantined.has(sbdf) && domid !== DOMID_IO;
    this.owners.set(sbdf, toQuarantine ? DOMID_IO : 0);
    if (!toQuarantine) this.#quarantined.delete(sbdf);
  }

  iomemPermission(domid: number, mfn: bigint, count: bigint, allow: boolean): void {
    this.#permit('xc_domain_iomem_permission', `iomem ${mfn.toString(16)}+${count.toString(16)}`, domid, allow);
  }

  ioportPermission(domid: number, first: number, count: number, allow: boolean): void {
    this.#permit('xc_domain_ioport_permission', `ioport ${first.toString(16)}+${count.toString(16)}`, domid, allow);
  }

  /** As Xen does when a domain is destroyed: devices go to quarantine or dom0, permissions with the domain. */
  destroyDomain(domid: number): void {
    this.domains.delete(domid);
    this.#pauses.delete(domid);
    for (const [sbdf, owner] of this.owners) {
      if (owner === domid) this.owners.set(sbdf, this.#quarantined.has(sbdf) ? DOMID_IO : 0);
    }
    for (const permission of this.#permissions) {
      if (permission.startsWith(`${domid} `)) this.#permissions.delete(permission);
    }
  }

  /** Everything that a leak would show in. */
  dump(): string[] {
    const owners = [...this.owners].map(([sbdf, owner]) => `device ${sbdf.toString(16)} owner ${owner.toString(16)}`);
    const quarantined = [...this.#quarantined].map((sbdf) => `device ${sbdf.toString(16)} quarantined`);
    const permissions = [...this.#permissions].map((permission) => `domain ${permission}`);
    return [...owners, ...quarantined, ...permissions].sort();
  }

  #countPause(call: string, domid: number, change: number): void {
    const domain = this.domains.get(domid);
    if (!domain) throw new FakeCallError(call, 'ESRCH');
    const count = (this.#pauses.get(domid) ?? (domain.flags.paused ? 1 : 0)) + change;
    if (count < 0) throw new FakeCallError(call, 'EINVAL');
    this.#pauses.set(domid, count);
    this.domains.set(domid, { ...domain, flags: { ...domain.flags, paused: count > 0 } });
  }

  #requireIommu(call: string, domid: number): void {
    if (domid === DOMID_IO ? this.iommuEnabled : this.domains.get(domid)?.iommu && this.iommuEnabled) return;
    throw new FakeCallError(call, domid === DOMID_IO || this.domains.has(domid) ? 'EOPNOTSUPP' : 'ESRCH');
  }

  #permit(call: string, range: string, domid: number, allow: boolean): void {
    this.#journal.enter(call, domid, range, allow);
    if (!this.domains.has(domid)) throw new FakeCallError(call, 'ESRCH');
    const permission = `${domid} ${range}`;
    if (allow && this.#permissions.has(permission)) throw new FakeCallError(call, 'EEXIST');
    if (allow) this.#permissions.add(permission);
    else this.#permissions.delete(permission);
  }
}
