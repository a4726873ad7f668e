import { overlaps } from './function-address.js';
import { GrammarError } from './grammar-error.js';
import { lintLibvirtXml } from './lint-libvirt.js';
import { lintKernelParameters } from './lint-kernel.js';
import { parseXapiDevices } from './lists.js';
import { effectiveSettings, parseXlConfig, readPciDevices, type XlPciDevice } from './xl-config.js';

/** Of a file that is none of its kind nobody reads more. */
const MAX_FINDINGS = 100;

/** What a text is, for {@link lint}. `kernel`: a command line, a file of GRUB's, or of modprobe.d. */
export const lintKinds = ['kernel', 'xl', 'xapi', 'libvirt'] as const;
export type LintKind = (typeof lintKinds)[number];

export interface LintFinding {
  /** `error`: the device, the guest or pciback will not start. `warning`: something else will go wrong. */
  readonly severity: 'error' | 'warning';
  /** Stable: `hide-malformed`. */
  readonly rule: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** What is wrong and what it leads to, in one sentence. */
  readonly message: string;
  /** What to write, or to do, instead. */
  readonly fix: string;
}

/** The kind of a file, by what is in it. */
export function lintKindOf(text: string): LintKind {
  if (/^\s*</.test(text)) return 'libvirt';
  if (/^\s*(?:pci:\s*)?[0-9]+\/[0-9a-f]|(?:^|;\s*)pci: /i.test(text)) return 'xapi';
  if (/^\s*pci\s*\+?=|^\s*(?:name|memory|vcpus|disk|vif)\s*=/m.test(text)) return 'xl';
  return 'kernel';
}

/**
 * Everything about PCI devices in a text that will not do what its writer wants, in order of place, a hundred at
 * most; throws nothing.
 */
export function lint(text: string, kind: LintKind = lintKindOf(text)): LintFinding[] {
  const linters = { kernel: lintKernelParameters, xl: lintXlConfig, xapi: lintXapi, libvirt: lintLibvirtXml };
  const findings = linters[kind](text).sort((a, b) => a.line - b.line || a.column - b.column);
  return findings.slice(0, MAX_FINDINGS);
}

function lintXlConfig(text: string): LintFinding[] {
  try {
    const config = parseXlConfig(text);
    const replaced = config.settings.filter(({ name }) => name === 'pci');
    const effective = effectiveSettings(config, 'pci');
    return [
      ...replaced
        .filter((setting) => !effective.includes(setting))
        .map(({ line }) => ({
          severity: 'warning' as const,
          rule: 'setting-replaced',
          line,
          column: 1,
          message: 'pci is set again further down, so xl ignores these devices',
          fix: 'Write pci+=[…] there, or all devices in one list.',
        })),
      ...lintPciDevices(readPciDevices(config)),
    ];
  } catch (error) {
    return [findingOf(error, 'config-malformed', 'xl refuses the guest')];
  }
}

function lintPciDevices(devices: readonly XlPciDevice[]): LintFinding[] {
  const at = ({ line }: XlPciDevice) => ({ line, column: 1 });
  return devices.flatMap((entry, index) => {
    const earlier = devices.slice(0, index);
    const { address, virtualSlot } = entry.device;
    const twice = address && earlier.find(({ device }) => device.address && overlaps(device.address, address));
    const slot = virtualSlot && earlier.find(({ device }) => device.virtualSlot === virtualSlot);
    return [
      ...(twice
        ? [
            {
              severity: 'error' as const,
              rule: 'device-twice',
              ...at(entry),
              message: `"${entry.written}" is in the list already (line ${twice.line}): xl attaches it once, and fails`,
              fix: 'Remove one of the two.',
            },
          ]
        : []),
      ...(slot
        ? [
            {
              severity: 'error' as const,
              rule: 'slot-twice',
              ...at(entry),
              message: `slot ${virtualSlot?.toString(16)} of the guest is taken by line ${slot.line}`,
              fix: 'Give it another slot, in hexadecimal, or none.',
            },
          ]
        : []),
      ...(address?.function === '*' && !virtualSlot
        ? [
            {
              severity: 'error' as const,
              rule: 'slot-missing',
              ...at(entry),
              message: `"${entry.written}" is all functions of a device: xl attaches them at a slot that is given only`,
              fix: 'Add the slot, in hexadecimal: 0000:03:00.*@5. Or name each function.',
            },
          ]
        : []),
    ];
  });
}

/** The value itself, or what `xe vm-param-get param-name=other-config` prints: `pci: 0/0000:03:00.0; mac_seed: …`. */
function lintXapi(text: string): LintFinding[] {
  const findings: LintFinding[] = [];
  for (const [index, row] of text.split('\n').entries()) {
    if (findings.length >= MAX_FINDINGS) break;
    findings.push(...lintXapiRow(row, index + 1));
  }
  return findings;
}

function lintXapiRow(row: string, line: number): LintFinding[] {
  const found = /(?:^|;)\s*pci:\s*([^;]*)/.exec(row);
  const value = (found?.[1] ?? (row.includes(': ') ? '' : row)).trim();
  if (value === '') return [];
  const start = row.indexOf(value, found?.index ?? 0);
  try {
    const names = parseXapiDevices(value).map(({ address }) => JSON.stringify(address));
    if (new Set(names).size === names.length) return [];
    return [
      {
        severity: 'error',
        rule: 'device-twice',
        line,
        column: start + 1,
        message: 'a device is in the list twice: XAPI attaches it once and fails',
        fix: 'Remove one of the two.',
      },
    ];
  } catch (error) {
    const finding = findingOf(error, 'other-config-malformed', 'XAPI cannot start the guest');
    return [{ ...finding, line, column: finding.column + start }];
  }
}

/** @throws what is no mistake of the text */
export function findingOf(error: unknown, rule: string, consequence: string): LintFinding {
  if (!(error instanceof GrammarError)) throw error;
  const { line = 1, column, problem, nextStep } = error;
  return { severity: 'error', rule, line, column, message: `${problem}: ${consequence}`, fix: nextStep };
}
