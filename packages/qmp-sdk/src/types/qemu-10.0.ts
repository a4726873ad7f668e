/** Types of the commands and events of one QEMU as Debian ships it; the first line of the module says which. */
export type * from './qemu-10.0.generated.js';
