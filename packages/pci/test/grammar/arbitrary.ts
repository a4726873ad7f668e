import fc from 'fast-check';

import type { DeviceSpec, Dialect, FunctionAddress } from '../../src/grammar/index.js';

interface Reach {
  readonly segment: number;
  readonly wildcard: boolean;
  readonly single: boolean;
}

/** What each dialect can say. */
const reach: Readonly<Record<Dialect, Reach>> = {
  canonical: { segment: 0x7fff_ffff, wildcard: true, single: true },
  short: { segment: 0, wildcard: true, single: true },
  card: { segment: 0x7fff_ffff, wildcard: true, single: false },
  xl: { segment: 0xffff, wildcard: true, single: true },
  pciback: { segment: 0xffff, wildcard: true, single: true },
  xapi: { segment: 0x7fff_ffff, wildcard: false, single: true },
  qubes: { segment: 0x7fff_ffff, wildcard: false, single: true },
  libvirt: { segment: 0x7fff_ffff, wildcard: false, single: true },
  'libvirt-xml': { segment: 0x7fff_ffff, wildcard: false, single: true },
  qemu: { segment: 0x7fff_ffff, wildcard: false, single: true },
  qdev: { segment: 0, wildcard: false, single: true },
  sysfs: { segment: 0x7fff_ffff, wildcard: false, single: true },
};

export function anyAddress({ segment, wildcard, single }: Reach): fc.Arbitrary<FunctionAddress> {
  const one = fc.integer({ min: 0, max: 7 });
  const all = fc.constant('*' as const);
  return fc.record({
    segment: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: segment })),
    bus: fc.integer({ min: 0, max: 0xff }),
    device: fc.integer({ min: 0, max: 0x1f }),
    function: wildcard ? (single ? fc.oneof(one, all) : all) : one,
  });
}

const anyXlOptions = fc.record(
  {
    permissive: fc.boolean(),
    msitranslate: fc.boolean(),
    seize: fc.boolean(),
    power_mgmt: fc.boolean(),
    rdm_policy: fc.constantFrom('strict' as const, 'relaxed' as const),
  },
  { requiredKeys: [] },
);

export const anyXlSpec: fc.Arbitrary<DeviceSpec> = fc.oneof(
  fc.record(
    { address: anyAddress(reach.xl), virtualSlot: fc.integer({ min: 0, max: 0x1f }), options: anyXlOptions },
    { requiredKeys: ['address', 'options'] },
  ),
  fc.record(
    {
      name: fc.stringMatching(/^[\w .-]{1,12}$/),
      virtualSlot: fc.integer({ min: 0, max: 0x1f }),
      options: anyXlOptions,
    },
    { requiredKeys: ['name', 'options'] },
  ),
);

/** Every device that a dialect can name. */
export function anySpec(dialect: Dialect): fc.Arbitrary<DeviceSpec> {
  if (dialect === 'xl') return anyXlSpec;
  return fc.record({
    address: anyAddress(reach[dialect]),
    options: fc.constant({}),
    ...(dialect === 'qubes' ? { backend: fc.stringMatching(/^[a-z][\w.-]{0,10}$/) } : {}),
    ...(dialect === 'xapi' ? { order: fc.integer({ min: 0, max: 999 }) } : {}),
  });
}
