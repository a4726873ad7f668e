import { describePassthrough, describeWithoutIommu } from './support/passthrough.js';

describePassthrough('xen-4.20');
describeWithoutIommu('xen-4.20');
