import { describeProfile } from './support/profile.js';

describeProfile('xen-4.17', { vcpus: 4, groups: ['dirty log'], hotPlugs: 2 });
