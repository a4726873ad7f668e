/**
 * A guest's MSI or MSI-X message in the words of Xen's bind call.
 *
 *   address low   31        20 19     12 11   4  3  2  1 0      data  15   14  13 11 10    8 7     0
 *                 | 0xFEE     | dest id |      | RH DM  |            |trig|lvl|     |delivery| vector |
 *
 *   flags   16        15    14      12  11 10   9   8   7     0
 *           |UNMASKED|trig | delivery |       | DM| RH | dest id |
 *
 * Sources: Intel SDM vol. 3 "Message Signalled Interrupts"; XEN_DOMCTL_VMSI_X86_* in xen/include/public/domctl.h.
 */
export interface Message {
  readonly vector: number;
  readonly flags: number;
  /** The pirq wanted by a guest that takes interrupts as events (vector 0), otherwise {@link anyPirq}. */
  readonly requestedPirq: number;
}

/** "Let Xen choose" in the map call. */
export const anyPirq = -1;

/** Ask Xen to start with the hardware vector unmasked (XEN_DOMCTL_VMSI_X86_UNMASKED). */
export const unmaskedFlag = 0x1_0000;

/** pirqs travel as a C int; what does not fit was never a pirq. */
const highestPirq = 0x7fff_ffff;

export function decodeMessage(addressLow: number, addressHigh: number, data: number): Message {
  const destinationId = (addressLow >>> 12) & 0xff;
  const redirectionHint = (addressLow >>> 3) & 1;
  const destinationMode = (addressLow >>> 2) & 1;
  const deliveryMode = (data >>> 8) & 7;
  const trigger = (data >>> 15) & 1;
  const vector = data & 0xff;
  return {
    vector,
    flags: destinationId | (redirectionHint << 8) | (destinationMode << 9) | (deliveryMode << 12) | (trigger << 15),
    requestedPirq: vector === 0 ? pirqOf(destinationId, addressHigh) : anyPirq,
  };
}

/** Of several MSI vectors: the function puts the vector's number into the low bits of the data. */
export function messageOfVector(message: Message, vector: number, vectorCount: number): Message {
  return vectorCount === 1 ? message : { ...message, vector: (message.vector & ~(vectorCount - 1)) | vector };
}

/**
 * Vector 0 is no vector: Linux on Xen puts the pirq it wants into the destination, its upper bits into address high.
 */
function pirqOf(destinationId: number, addressHigh: number): number {
  const pirq = ((addressHigh & 0xffff_ff00) | destinationId) >>> 0;
  return pirq === 0 || pirq > highestPirq ? anyPirq : pirq;
}
