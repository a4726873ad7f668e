import type { FunctionIdentity } from './function-record.js';

export interface IdentityDifference {
  readonly field: string;
  readonly was: string;
  readonly is: string;
}

const ids = ['vendorId', 'deviceId', 'subsystemVendorId', 'subsystemDeviceId', 'classCode'] as const;
const places = ['path', 'serialNumber', 'slotLabel'] as const;

/**
 * What is different of a card. A serial number or a label that one side lacks says nothing: without root they cannot
 * be read.
 */
export function compareIdentities(was: FunctionIdentity, is: FunctionIdentity): IdentityDifference[] {
  const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
  const numbers = ids
    .filter((field) => was[field] !== is[field])
    .map((field) => ({ field, was: hex(was[field]), is: hex(is[field]) }));
  const texts = places.flatMap((field) => {
    const [before, now] = [was[field], is[field]];
    return before === null || now === null || before === now ? [] : [{ field, was: before, is: now }];
  });
  return [...numbers, ...texts];
}
