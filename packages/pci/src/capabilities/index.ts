import type { CapabilityCatalogue } from '../config-space/capability-list.js';
import type { Capability } from './capability.js';
import { concealedCapabilities } from './concealed.js';
import { express } from './express.js';
import { msiX } from './msi-x.js';
import { msi } from './msi.js';
import { powerManagement } from './power-management.js';
import { vendorSpecific } from './vendor-specific.js';
import { vitalProductData } from './vital-product-data.js';

/** Every capability a guest may see. A new one is one file and one line here. */
export const capabilities: readonly Capability[] = [
  powerManagement,
  vitalProductData,
  msi,
  vendorSpecific,
  express,
  msiX,
];

export { concealedCapabilities };

/** What the package knows, as the engine takes it. */
export const catalogue: CapabilityCatalogue = { shown: capabilities, concealed: concealedCapabilities };
