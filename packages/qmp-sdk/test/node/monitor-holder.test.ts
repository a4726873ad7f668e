import { expect, test } from 'vitest';
import { holderIn } from '../../src/node/monitor-holder.js';

// As `ss -xpnH` prints it: QEMU (12) serves process 34; 56 waits in the backlog.
const listing = `
u_str LISTEN 1      1             /run/vm.qmp 100            * 0    users:(("qemu-system-x86",pid=12,fd=9))
u_str ESTAB  0      0             /run/vm.qmp 300            * 301
u_str ESTAB  0      0             /run/vm.qmp 200            * 201  users:(("qemu-system-x86",pid=12,fd=11))
u_str ESTAB  0      0                       * 201            * 200  users:(("node",pid=34,fd=20),("node",pid=35,fd=3))
u_str ESTAB  0      0                       * 301            * 300  users:(("node",pid=56,fd=20))
u_str ESTAB  0      0       /run/other vm.qmp 400            * 401  users:(("qemu-system-x86",pid=13,fd=11))
u_str ESTAB  0      0                       * 401            * 400
`;

test('the peer of the connection that is served, not of one that waits', () => {
  expect(holderIn(listing, '/run/vm.qmp')).toBe(34);
});

test('unknown where the system does not tell', () => {
  expect(holderIn(listing, '/run/other vm.qmp')).toBeUndefined();
  expect(holderIn(listing, '/run/none')).toBeUndefined();
  expect(holderIn('', '/run/vm.qmp')).toBeUndefined();
});
