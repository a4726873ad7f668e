import { accessControlServices } from './access-control-services.js';
import { addressTranslation } from './address-translation.js';
import { advancedErrorReporting } from './advanced-error-reporting.js';
import { alternateProtocol } from './alternate-protocol.js';
import { alternativeRoutingId } from './alternative-routing-id.js';
import { configurationAccessCorrelation } from './configuration-access-correlation.js';
import { dataLinkFeature } from './data-link-feature.js';
import { designatedVendorSpecific } from './designated-vendor-specific.js';
import { deviceSerialNumber } from './device-serial-number.js';
import { downstreamPortContainment } from './downstream-port-containment.js';
import { dynamicPowerAllocation } from './dynamic-power-allocation.js';
import { enclosureManagement } from './enclosure-management.js';
import type { ExtendedCapability } from './extended-capability.js';
import { functionReadiness } from './function-readiness.js';
import { hierarchyId } from './hierarchy-id.js';
import { l1Substates } from './l1-substates.js';
import { laneMargining } from './lane-margining.js';
import { latencyTolerance } from './latency-tolerance.js';
import { lightweightNotification } from './lightweight-notification.js';
import { mobileExpress } from './mobile-express.js';
import { multiFunctionVirtualChannel } from './multi-function-virtual-channel.js';
import { multiRootVirtualization } from './multi-root-virtualization.js';
import { multicast } from './multicast.js';
import { pageRequest } from './page-request.js';
import { physicalLayer16 } from './physical-layer-16.js';
import { physicalLayer32 } from './physical-layer-32.js';
import { powerBudgeting } from './power-budgeting.js';
import { precisionTime } from './precision-time.js';
import { processAddressSpace } from './process-address-space.js';
import { processingHints } from './processing-hints.js';
import { protocolMultiplexing } from './protocol-multiplexing.js';
import { readinessTime } from './readiness-time.js';
import { reservedAmd } from './reserved-amd.js';
import { resizableBar } from './resizable-bar.js';
import { rootComplexEventCollector } from './root-complex-event-collector.js';
import { rootComplexInternalLink } from './root-complex-internal-link.js';
import { rootComplexLink } from './root-complex-link.js';
import { rootComplexRegisterBlock } from './root-complex-register-block.js';
import { secondaryExpress } from './secondary-express.js';
import { singleRootVirtualization } from './single-root-virtualization.js';
import { systemFirmwareIntermediary } from './system-firmware-intermediary.js';
import { vendorSpecificExtended } from './vendor-specific-extended.js';
import { virtualChannelMultiFunction } from './virtual-channel-multi-function.js';
import { virtualChannel } from './virtual-channel.js';
import { virtualResizableBar } from './virtual-resizable-bar.js';

/** Every extended capability of PCI Express Base 5.0, by id. A new one is one file and one line here. */
export const extendedCapabilities: readonly ExtendedCapability[] = [
  advancedErrorReporting,
  virtualChannel,
  deviceSerialNumber,
  powerBudgeting,
  rootComplexLink,
  rootComplexInternalLink,
  rootComplexEventCollector,
  multiFunctionVirtualChannel,
  virtualChannelMultiFunction,
  rootComplexRegisterBlock,
  vendorSpecificExtended,
  configurationAccessCorrelation,
  accessControlServices,
  alternativeRoutingId,
  addressTranslation,
  singleRootVirtualization,
  multiRootVirtualization,
  multicast,
  pageRequest,
  reservedAmd,
  resizableBar,
  dynamicPowerAllocation,
  processingHints,
  latencyTolerance,
  secondaryExpress,
  protocolMultiplexing,
  processAddressSpace,
  lightweightNotification,
  downstreamPortContainment,
  l1Substates,
  precisionTime,
  mobileExpress,
  functionReadiness,
  readinessTime,
  designatedVendorSpecific,
  virtualResizableBar,
  dataLinkFeature,
  physicalLayer16,
  laneMargining,
  hierarchyId,
  enclosureManagement,
  physicalLayer32,
  alternateProtocol,
  systemFirmwareIntermediary,
];
