/**
 * Types of every command and event of the recorded QEMUs: their union. What only some of them have says so; a member
 * that any of them lacks is optional. For one QEMU: `@xenpt/qmp-sdk/types/qemu-10.0` and its neighbours.
 */
export type * from './merged.generated.js';
