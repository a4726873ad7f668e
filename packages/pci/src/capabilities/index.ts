import type { CapabilityCatalogue } from '../config-space/capability-list.js';
import { advancedFeatures } from './advanced-features.js';
import { agp8x } from './agp-8x.js';
import { agp } from './agp.js';
import { bridgeSubsystem } from './bridge-subsystem.js';
import type { Capability, ConcealedCapability } from './capability.js';
import { debugPort } from './debug-port.js';
import { enhancedAllocation } from './enhanced-allocation.js';
import { express } from './express.js';
import { flatteningPortalBridge } from './flattening-portal-bridge.js';
import { hotPlug } from './hot-plug.js';
import { hotSwap } from './hot-swap.js';
import { hyperTransport } from './hyper-transport.js';
import { msiX } from './msi-x.js';
import { msi } from './msi.js';
import { nullCapability } from './null.js';
import { pciX } from './pci-x.js';
import { powerManagement } from './power-management.js';
import { resourceControl } from './resource-control.js';
import { sataIndexData } from './sata-index-data.js';
import { secureDevice } from './secure-device.js';
import { slotIdentification } from './slot-identification.js';
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
  advancedFeatures,
];

/** Every other that PCI Local Bus 3.0 and PCI Express Base 5.0 know: decoded for people, hidden from guests. */
export const concealedCapabilities: readonly ConcealedCapability[] = [
  nullCapability,
  agp,
  slotIdentification,
  hotSwap,
  pciX,
  hyperTransport,
  debugPort,
  resourceControl,
  hotPlug,
  bridgeSubsystem,
  agp8x,
  secureDevice,
  sataIndexData,
  enhancedAllocation,
  flatteningPortalBridge,
];

/** What the package knows, as the engine takes it. */
export const catalogue: CapabilityCatalogue = { shown: capabilities, concealed: concealedCapabilities };
