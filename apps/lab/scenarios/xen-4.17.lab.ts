import { describeProfile } from './support/profile.js';

describeProfile('xen-4.17', {
  vcpus: 4,
  groups: ['interrupts', 'QMP', 'dirty log'],
  hotPlugs: 2,
  messages: 'pirqs',
});
