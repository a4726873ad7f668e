export { createFakeClock, createFakeHost, type FakeHost, type FakeHostOptions } from './fake-host.js';
export { FakeDirtyLogs } from './fake-dirty-logs.js';
export { FakeModels } from './fake-model.js';
export { FakeProcesses } from './fake-processes.js';
export { FakeStore } from './fake-store.js';
export { type FakeFunction, fakeNetworkCard, FakeSysfs } from './fake-sysfs.js';
export { type FakeDomain, fakeDomain, FakeToolstack } from './fake-toolstack.js';
export { FakeCallError, Journal } from './journal.js';
