export { FakeBar, type BarAccessRecord } from './fake-bar.js';
export { FakeDevice, type ConfigWrite, type FakeCapabilities, type FakeTable } from './fake-device.js';
export {
  FakeHypervisor,
  type FakeHypervisorOptions,
  type HypervisorCall,
  type HypervisorCallName,
} from './fake-hypervisor.js';
export { FakeXenError } from './fake-xen-error.js';
