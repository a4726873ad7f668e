import { describeProfile } from './support/profile.js';

describeProfile('xen-4.20', {
  vcpus: 1,
  groups: ['inventory', 'assignable', 'configuration view', 'dirty rate', 'without an IOMMU'],
  hotPlugs: 2,
  messages: 'vectors',
});
