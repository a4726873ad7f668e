import { describePassthrough, describeWithoutIommu } from './support/passthrough.js';
import { describeSavedMachine } from './support/saved-machine.js';

describePassthrough('xen-4.17');
describeSavedMachine('xen-4.17');
describeWithoutIommu('xen-4.17');
