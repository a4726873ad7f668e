import type { HypervisorFacts } from '../host.js';
import type { FakeToolstack } from './fake-toolstack.js';

/** What Xen says of the host; `groups` and `reserved` are by sbdf, to be filled by a test. */
export class FakeHypervisor implements HypervisorFacts {
  readonly #toolstack: FakeToolstack;
  /** SBDF to the number of its group; a device without one is alone. */
  readonly groups = new Map<number, number>();
  readonly reserved = new Map<number, { readonly startFrame: bigint; readonly frameCount: bigint }[]>();
  xenCommandLine = 'iommu=verbose';

  constructor(toolstack: FakeToolstack) {
    this.#toolstack = toolstack;
  }

  version(): string {
    return '4.17.6';
  }

  commandLine(): string {
    return this.xenCommandLine;
  }

  directIo(): boolean {
    return this.#toolstack.iommuEnabled;
  }

  /** As iommu_get_device_group(): those that the domain has, without the device itself. */
  deviceGroup(domid: number, sbdf: number): number[] {
    const group = this.groups.get(sbdf);
    return [...this.#toolstack.owners]
      .filter(([other, owner]) => other !== sbdf && owner === domid && group !== undefined)
      .map(([other]) => other)
      .filter((other) => this.groups.get(other) === group);
  }

  reservedMemory(sbdf: number): readonly { readonly startFrame: bigint; readonly frameCount: bigint }[] {
    return this.reserved.get(sbdf) ?? [];
  }

  close(): void {}
}
