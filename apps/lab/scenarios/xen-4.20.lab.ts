import { describeProfile } from './support/profile.js';

describeProfile('xen-4.20', {
  vcpus: 1,
  groups: ['assignable', 'dirty rate'],
  messages: 'vectors',
});
