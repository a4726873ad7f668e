import { readLinkTarget } from './attributes.js';

const address = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;

/** The PCI function that a link of sysfs leads through, the innermost one; null for a virtual device. */
export function functionOfLink(path: string): string | null {
  const target = readLinkTarget(path);
  return target?.split('/').findLast((part) => address.test(part)) ?? null;
}
