import { assumeResources } from '../bars/assume.js';
import type { DumpedFunction } from '../config-space/dump.js';
import { requireWhole } from '../config-space/dump.js';
import { checkHeader, headerValue } from '../config-space/header.js';
import type { FunctionImage } from '../resource.js';

export interface DumpedImage {
  readonly image: FunctionImage;
  /** Indices of the BARs whose size the file does not tell. */
  readonly assumed: readonly number[];
}

const noFunction = { segment: 0, bus: 0, device: 0, function: 0 } as const;

/**
 * What a file says of a function, as the guest's view is built of it: the ids from its title before those of its
 * bytes, since a virtual function's bytes have none; an interrupt where there is a pin.
 *
 * @throws {@link PciError} `PCI_DUMP_SYNTAX`, `PCI_FUNCTION_ABSENT` or `PCI_HEADER_TYPE_UNSUPPORTED`
 */
export function imageOfDump(dumped: DumpedFunction): DumpedImage {
  requireWhole(dumped);
  const { sbdf, config, ids, sizes } = dumped;
  checkHeader(config);
  const { resources, assumed } = assumeResources(config, sizes);
  const image = {
    sbdf: sbdf ?? noFunction,
    config,
    resources,
    irq: headerValue(config, 'interruptPin') === 0 ? 0 : 1,
    vendorId: ids?.vendorId ?? headerValue(config, 'vendorId'),
    deviceId: ids?.deviceId ?? headerValue(config, 'deviceId'),
  };
  return { image, assumed };
}
