import { formatLocation } from '../inventory/location.js';
import type { HiddenFunction, OwnedFunction } from '../inventory/host-facts.js';
import { type HostRule, isHeldForGuests, nameWithDriver, type RuleHit } from './rule.js';

export const hideLost: HostRule = {
  scope: 'host',
  id: 'hide-lost',
  title: 'What xen-pciback.hide names is not held',
  cause: 'The address names nothing any more (a card was added or moved), or another driver was faster than pciback.',
  consequence: 'The host uses the device, or another card is held in its place; the guest does not start.',
  remedy: 'Correct the address; put xen-pciback into the initramfs, before the driver that takes the device.',
  check: ({ functions, host: { hideParameters } }) =>
    hideParameters.flatMap(({ source, functions: hidden }) =>
      hidden.flatMap((entry): RuleHit[] => {
        const named = functions.filter((fn) => matches(entry, fn));
        const evidence = [source];
        if (named.length === 0) {
          const message = `it names ${describe(entry)}, which is not there`;
          return [{ effect: 'none', severity: 'error', message, evidence, fix: 'xenpt list' }];
        }
        const lost = named.filter((fn) => !isHeldForGuests(fn) && fn.owner.kind !== 'domain');
        if (lost.length === 0) return [];
        const message = `it names ${lost.map(nameWithDriver).join(', ')}, not held by pciback`;
        const fix = `xenpt assignable add ${lost.map(({ address }) => address).join(' ')}`;
        return [{ effect: 'none', severity: 'error', message, evidence, fix }];
      }),
    ),
};

function matches({ segment, bus, device, function: fn }: HiddenFunction, { sbdf }: OwnedFunction): boolean {
  return (
    sbdf.segment === segment &&
    sbdf.bus === bus &&
    (device === '*' || sbdf.device === device) &&
    (fn === '*' || sbdf.function === fn)
  );
}

function describe(entry: HiddenFunction): string {
  const { device, function: fn } = entry;
  if (device === '*' || fn === '*') return `a device that matches ${entry.bus.toString(16).padStart(2, '0')}:*`;
  return formatLocation({ segment: entry.segment, bus: entry.bus, device, function: fn });
}
