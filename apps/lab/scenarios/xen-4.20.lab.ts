import { describeProfile } from './support/profile.js';

describeProfile('xen-4.20', {
  vcpus: 1,
  groups: ['inventory', 'assignable', 'dirty rate', 'guest configuration'],
  messages: 'vectors',
});
