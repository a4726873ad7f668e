import { describeProfile } from './support/profile.js';

describeProfile('xen-4.20', {
  vcpus: 1,
  groups: ['dirty rate', 'without an IOMMU'],
  hotPlugs: 2,
  messages: 'vectors',
});
