export type { Delivery } from './delivery.js';
export type { FakeAddress } from './fake-listener.js';
export { FakeQmp, replyFaults, type FakeContext, type FakeHandler, type FakeQmpOptions } from './fake-qmp.js';
export { FakeError, type FakeSession } from './fake-session.js';
export type { ReplayMatch } from './replay.js';
