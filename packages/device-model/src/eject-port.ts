import type { Changes } from './changes.js';
import type { Hypervisor } from './hypervisor.js';
import type { PortTarget } from './ioreq.js';

/**
 * Where QEMU's ACPI hot-plug takes ejects, as hvmloader's DSDT does them (xen/tools/libacpi/mk_dsdt.c, `_EJ0`; QEMU's
 * docs/specs/acpi_pci_hotplug): one write of 4 bytes, bit n for slot n of bus 0.
 */
const firstPort = 0xae08;
const lastPort = 0xae0b;
const sizeBytes = 4;

/**
 * The guest's ejects, for as long as one of them is expected. QEMU takes them otherwise, and would remove its
 * placeholder while our function still answers: a guest that looks at the slot once more, as Linux 6.8 and later may,
 * would find the function again. So the write comes here first, the function is concealed before the write is
 * answered, and whoever expects it passes it on to QEMU.
 */
export class EjectPort implements PortTarget {
  readonly #hypervisor: Pick<Hypervisor, 'claimPorts' | 'releasePorts'>;
  readonly #onEject: (slots: number) => void;
  readonly #changes: Changes;
  #isClaimed = false;
  /** Ejected, and not passed on to QEMU yet. */
  #slots = 0;

  /** @param onEject given a bit for each slot, before the guest's write is answered */
  constructor(
    hypervisor: Pick<Hypervisor, 'claimPorts' | 'releasePorts'>,
    changes: Changes,
    onEject: (slots: number) => void,
  ) {
    this.#hypervisor = hypervisor;
    this.#changes = changes;
    this.#onEject = onEject;
  }

  get saved(): { readonly isClaimed: boolean; readonly slots: number } {
    return { isClaimed: this.#isClaimed, slots: this.#slots };
  }

  restore({ isClaimed, slots }: { readonly isClaimed: boolean; readonly slots: number }): void {
    this.#isClaimed = isClaimed;
    this.#slots = slots;
  }

  has(port: number): boolean {
    return this.#isClaimed && port === firstPort;
  }

  /**
   * Has ejects come here.
   *
   * @param passedOn slots whose ejects QEMU has been given
   * @returns the slots that the guest has ejected and QEMU does not know of, one bit each
   */
  expect(passedOn: number): number {
    if (!this.#isClaimed) this.#hypervisor.claimPorts(firstPort, lastPort);
    const isNews = !this.#isClaimed || (this.#slots & passedOn) !== 0;
    this.#changes.value += isNews ? 1 : 0;
    this.#isClaimed = true;
    this.#slots &= ~passedOn;
    return this.#slots >>> 0;
  }

  /** Ejects go to QEMU again. What has not been passed on is kept for the next `expect`. */
  ignore(): void {
    if (!this.#isClaimed) return;
    this.#hypervisor.releasePorts(firstPort, lastPort);
    this.#isClaimed = false;
    this.#changes.value += 1;
  }

  /** The slot has another owner, or none: an eject of the last one is not for it. */
  forget(slot: number): void {
    this.#slots &= ~(1 << slot);
  }

  /** As QEMU answers. */
  readPort(): number {
    return 0;
  }

  /** QEMU takes nothing but the 4 bytes at once. */
  writePort(size: number, value: number): void {
    if (size !== sizeBytes) return;
    this.#changes.value += (this.#slots | value) === this.#slots ? 0 : 1;
    this.#slots |= value;
    this.#onEject(value);
  }
}
