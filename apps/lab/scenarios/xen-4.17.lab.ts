import { describeProfile } from './support/profile.js';

describeProfile('xen-4.17', {
  vcpus: 4,
  groups: ['QEMU comparison', 'interrupts', 'QMP', 'refusals', 'restarts'],
  messages: 'pirqs',
});
