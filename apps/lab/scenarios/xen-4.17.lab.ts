import { describeProfile } from './support/profile.js';

describeProfile('xen-4.17', {
  vcpus: 4,
  groups: ['configuration view', 'dirty log'],
  hotPlugs: 2,
  messages: 'pirqs',
});
