import { formatSbdf, type FunctionImage } from '@xenpt/pci';
import { GuestModel, type AttachRequest, type GuestModelOptions } from '../../src/guest-model.js';
import { noGuestMemory, RequestHandler, type GuestMemory } from '../../src/ioreq.js';
import { Statistics } from '../../src/statistics.js';
import { FakeDevice, FakeHypervisor, type FakeHypervisorOptions } from '../../src/testing/index.js';
import { Guest } from './guest.js';
import { networkCard } from './network-card.js';

export interface RigOptions {
  readonly images?: readonly FunctionImage[];
  readonly hypervisor?: Omit<FakeHypervisorOptions, 'devices'>;
  readonly placement?: GuestModelOptions['placement'];
  readonly memory?: GuestMemory;
  /** True: BARs are mapped when they are touched, as where the host lets us make accesses in the guest's place. */
  readonly barAccess?: boolean;
}

/** A model on fakes, with one card unless told otherwise. */
export interface Rig {
  readonly devices: readonly FakeDevice[];
  readonly device: FakeDevice;
  readonly hypervisor: FakeHypervisor;
  readonly model: GuestModel;
  readonly handler: RequestHandler;
  readonly faults: unknown[];
  readonly reports: string[];
  readonly statistics: Statistics;
  attach(policy?: Pick<AttachRequest, 'allow' | 'permissive' | 'expansionRom' | 'romImage'>): void;
  guest(devfn?: number): Guest;
}

export const slot = 5 << 3;
export const cardName = '0000:01:00.0';

export function makeRig(options: RigOptions = {}): Rig {
  const devices = (options.images ?? [networkCard()]).map(
    (image) => new FakeDevice(image, { barAccess: options.barAccess === true }),
  );
  const device = devices[0];
  if (device === undefined) throw new Error('a rig needs a device');
  const hypervisor = new FakeHypervisor({ devices, ...options.hypervisor });
  const reports: string[] = [];
  const statistics = new Statistics();
  const model = new GuestModel({
    hypervisor,
    statistics,
    report: (cause, text) => reports.push(`${cause}: ${text}`),
    openDevice: (sbdf) => {
      const found = devices.find(({ image }) => formatSbdf(image.sbdf) === formatSbdf(sbdf));
      if (found === undefined) throw new Error(`no device ${formatSbdf(sbdf)}`);
      return found;
    },
    ...(options.placement === undefined ? {} : { placement: options.placement }),
  });
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  const handler = new RequestHandler(model, options.memory ?? noGuestMemory, onFault, statistics);
  return {
    devices,
    device,
    hypervisor,
    model,
    handler,
    faults,
    reports,
    statistics,
    attach: (policy = {}) => void model.attach({ sbdf: cardName, guestDevfn: slot, ...policy }),
    guest: (devfn = slot) => new Guest(handler, devfn),
  };
}

/** Where the tests put the card's BARs. */
export const home = { bar0: 0xf000_0000, bar1: 0xf002_0000, bar2: 0xc000, bar3: 0xf004_0000 } as const;

/** Firmware's part: BARs placed, decode and bus master on. */
export function placeAll(guest: Guest): void {
  guest.command(0);
  for (const [index, address] of Object.values(home).entries()) guest.placeBar(index, address);
  guest.command(0x0007);
}
