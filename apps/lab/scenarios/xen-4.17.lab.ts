import { describePassthrough, describeWithoutIommu } from './support/passthrough.js';

describePassthrough('xen-4.17');
describeWithoutIommu('xen-4.17');
