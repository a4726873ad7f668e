import { parseXml, XmlElement, XmlError } from '@rgrove/parse-xml';
import { libvirtNumberMistake } from './libvirt-address.js';
import type { LintFinding } from './lint.js';
import { placeOf } from './place.js';

const maxXmlCharacters = 1024 * 1024;
/** libvirt's own schema needs a dozen. */
const maxXmlDepth = 64;
const attributes = ['domain', 'bus', 'slot', 'function'] as const;

interface Found {
  readonly element: XmlElement;
  /** From `hostdev` or `interface` down. */
  readonly path: readonly string[];
}

/** Checks the host's devices in a domain of libvirt: `<hostdev type='pci'>` and `<interface type='hostdev'>`. */
export function lintLibvirtXml(text: string): LintFinding[] {
  const at = (position: number) => {
    const { line, column } = placeOf(text, Math.max(position, 0));
    return { line, column };
  };
  const malformed = (message: string, position: number): LintFinding[] => [
    { severity: 'error', rule: 'xml-malformed', ...at(position), message, fix: 'See `virt-xml-validate`.' },
  ];
  if (text.length > maxXmlCharacters) return malformed('a file of more than 1 MiB is no domain', 0);
  if (depthOf(text) > maxXmlDepth) return malformed(`elements more than ${maxXmlDepth} deep are no domain`, 0);
  let root: XmlElement | null;
  try {
    ({ root } = parseXml(text, { includeOffsets: true }));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const [reason = 'not well-formed'] = error.message.split('\n');
    return malformed(`${reason.replace(/ \(line.*/, '')}: libvirt refuses the domain`, error.pos);
  }
  if (root === null) return malformed('there is no element', 0);
  const seen = new Map<string, number>();
  return hostAddresses(root).flatMap(({ element }) => {
    const findings = lintAddress(element, at(element.start));
    const name = attributes.map((attribute) => Number(element.attributes[attribute] ?? '0')).join();
    const { line } = at(element.start);
    const before = seen.get(name);
    seen.set(name, before ?? line);
    if (before === undefined || findings.length > 0) return findings;
    const message = `this device is given to the guest in line ${before} already`;
    return [
      { severity: 'error', rule: 'device-twice', ...at(element.start), message, fix: 'Remove one of the two.' },
    ];
  });
}

/** Without recursion, whatever the text; at least as deep as the parser will go. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [tag] of text.matchAll(/<\/?[A-Za-z_:][^<>]*>?/g)) {
    if (tag.startsWith('</')) depth--;
    else if (!tag.endsWith('/>')) depth++;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function hostAddresses(root: XmlElement): Found[] {
  const found: Found[] = [];
  const visit = (element: XmlElement, path: readonly string[]): void => {
    const { type = '' } = element.attributes;
    const isDevice =
      (element.name === 'hostdev' && type === 'pci') || (element.name === 'interface' && type === 'hostdev');
    const next = isDevice ? [element.name] : path.length > 0 ? [...path, element.name] : [];
    if (next.join('/').endsWith('/source/address')) found.push({ element, path: next });
    for (const child of element.children) if (child instanceof XmlElement) visit(child, next);
  };
  visit(root, []);
  return found;
}

function lintAddress(element: XmlElement, at: { readonly line: number; readonly column: number }): LintFinding[] {
  return attributes.flatMap((attribute): LintFinding[] => {
    const value = element.attributes[attribute];
    if (value === undefined) {
      if (attribute === 'domain') return [];
      const message = `${attribute} is missing: libvirt refuses the domain`;
      return [{ severity: 'error', rule: 'address-malformed', ...at, message, fix: `Add ${attribute}='0x00'.` }];
    }
    const mistake = libvirtNumberMistake(attribute, value);
    if (mistake === undefined) return [];
    const hexadecimal = /^[0-9a-f]+$/i.test(value) ? `0x${value}` : '0x1f';
    return [
      {
        severity: mistake.ambiguous ? 'warning' : 'error',
        rule: mistake.ambiguous ? 'address-ambiguous' : 'address-malformed',
        ...at,
        message: mistake.problem,
        fix: mistake.ambiguous ? `Write ${hexadecimal} if that is meant.` : 'Write it as in `virsh nodedev-dumpxml`.',
      },
    ];
  });
}
