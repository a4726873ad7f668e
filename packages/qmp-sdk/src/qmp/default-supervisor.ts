import type { DefaultCommands, DefaultEvents } from './default-maps.js';
import { QmpSupervisor as GenericSupervisor } from './supervisor.js';

/** See {@link GenericSupervisor}; without maps its clients know every command of every supported QEMU. */
export type QmpSupervisor<C = DefaultCommands, E = DefaultEvents> = GenericSupervisor<C, E>;
export const QmpSupervisor: typeof GenericSupervisor = GenericSupervisor;
