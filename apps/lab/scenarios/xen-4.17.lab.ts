import { describeProfile } from './support/profile.js';

describeProfile('xen-4.17', {
  vcpus: 4,
  groups: ['interrupts', 'QMP', 'without an IOMMU'],
  messages: 'pirqs',
});
