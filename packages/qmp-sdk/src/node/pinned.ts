// The client for programs that pin one QEMU's types: it loads no others, so a type check is the faster by them.
export { QmpClient } from '../qmp/generic-client.js';
export { QmpSupervisor, supervise, type SupervisorChange, type SupervisorOptions } from '../qmp/supervisor.js';
export { connect, type ConnectOptions, type QmpAddress } from './generic-connect.js';
export { listen, type ListenAddress, type QmpListener } from './generic-listen.js';
