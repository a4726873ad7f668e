import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { lint, lintKindOf, lintKinds } from '../../src/grammar/index.js';

const rules = (text: string) => lint(text).map(({ rule, line, column }) => `${line}:${column} ${rule}`);

describe('the kernel command line', () => {
  it.each([
    ['root=/dev/sda quiet xen-pciback.hide=(0000:03:00.0)(0000:04:00.*)', []],
    ['xen-pciback.hide=(0000:03:00.0', ['1:31 hide-malformed']],
    ['xen_pciback.hide=(0000:03:20.0)', ['1:27 hide-malformed']],
    ['xen-pciback.hide=(03:00.0)', ['1:18 hide-short']],
    ['pciback.hide=(0000:03:00.0)(0000:03:00.0)', ['1:28 hide-twice']],
    ['xen-pciback.hide=(0000:03:00.0) xen-pciback.hide=(0000:04:00.0)', ['1:1 hide-replaced']],
    ['xen-pciback.hid=(0000:03:00.0)', ['1:1 parameter-unknown']],
    ['# GRUB\nGRUB_CMDLINE_LINUX="quiet xen-pciback.hide=(0000:03:00)"', ['2:55 hide-malformed']],
    ['# xen-pciback.hide=(', []],
    ['options xen-pciback hide=(0000:03:00.0)(04:00.0) permisive=1', ['1:40 hide-short', '1:50 parameter-unknown']],
  ])('%j: %j', (text, expected) => {
    expect(lintKindOf(text)).toBe('kernel');
    expect(rules(text)).toEqual(expected);
  });

  it('says what it leads to, and what to write', () => {
    expect(lint('xen-pciback.hide=(03:31.0)')[0]).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('refuses the whole list') as string,
    });
    expect(lint('xen-pciback.hide=(03:00.0)')[0]?.fix).toBe('Write (0000:03:00.0).');
  });
});

describe('xl.cfg', () => {
  it.each([
    ['name="web"\npci=["03:00.0@5", "04:00.0"]', []],
    ['name="web"\npci=["03:00.0@20"]', ['2:15 config-malformed']],
    ['memory=1\npci=["03:00.0",\n"03:00.*@5"]', ['3:1 device-twice']],
    ['memory=1\npci=["03:00.*"]', ['2:1 slot-missing']],
    ['memory=1\npci=["03:00.*@6"]', []],
    ['memory=1\npci=["03:00.0@5",\n"04:00.0,vslot=5"]', ['3:1 slot-twice']],
    ['pci=["03:00.0"]\npci=["04:00.0"]', ['1:1 setting-replaced']],
    ['pci=["03:00.0"]\npci+=["04:00.0"]', []],
    ['name="web\n', ['1:6 config-malformed']],
  ])('%j: %j', (text, expected) => {
    expect(lintKindOf(text)).toBe('xl');
    expect(rules(text)).toEqual(expected);
  });
});

describe("XAPI's other-config", () => {
  it.each([
    ['0/0000:03:00.0,0/0000:04:00.0', []],
    ['pci: 0/0000:03:00.0; mac_seed: 0123', []],
    ['mac_seed: 0123; pci: 0/03:00.0', ['1:24 other-config-malformed']],
    ['0/0000:03:00.0,1/0000:03:00.0', ['1:1 device-twice']],
  ])('%j: %j', (text, expected) => {
    expect(lintKindOf(text)).toBe('xapi');
    expect(rules(text)).toEqual(expected);
  });
});

describe('libvirt', () => {
  const domain = (address: string) =>
    `<domain>\n<devices>\n<hostdev mode='subsystem' type='pci' managed='yes'>\n<source>\n${address}\n</source>\n` +
    "<address type='pci' domain='0x0000' bus='99' slot='99' function='0x0'/></hostdev></devices></domain>";

  it.each([
    ["<address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>", []],
    ["<address bus='3' slot='0' function='0'/>", []],
    ["<address bus='10' slot='0' function='0'/>", ['5:1 address-ambiguous']],
    ["<address bus='0x03' slot='0x20' function='0'/>", ['5:1 address-malformed']],
    ["<address bus='0x03' slot='0x1f'/>", ['5:1 address-malformed']],
    ["<address bus='x' slot='0' function='0'/>", ['5:1 address-malformed']],
    ["<address bus='0x3' slot='0' function='0'/><address bus='3' slot='0' function='0'/>", ['5:43 device-twice']],
    ["<address bus='0x03'", ['5:20 xml-malformed']],
  ])('%s: %j', (address, expected) => {
    expect(lintKindOf(domain(address))).toBe('libvirt');
    expect(lint(domain(address)).map(({ rule, line, column }) => `${line}:${column} ${rule}`)).toEqual(
      expected.map((each) => expect.stringContaining(each.replace('5:20 ', '')) as string),
    );
  });

  it('takes neither entities that grow nor elements without end', () => {
    const laughs = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><domain>&b;</domain>';
    expect(rules(laughs)).toEqual([expect.stringContaining('xml-malformed')]);
    expect(rules('<a>'.repeat(300_000))).toEqual([expect.stringContaining('xml-malformed')]);
    expect(rules('<'.repeat(300_000))).toEqual([expect.stringContaining('xml-malformed')]);
  });
});

it('no text crashes a linter or holds it up, and every finding has a place in the text', () => {
  const words = fc.constantFrom(
    'xen-pciback.hide=',
    '(0000:03:00.0)',
    'pci=[',
    '"03:00.0"',
    ']',
    'pci: ',
    '0/0000:03:00.0',
    "<hostdev type='pci'>",
    '<source>',
    "<address bus='0x03' slot='0' function='0'/>",
    '</source>',
    '</hostdev>',
    '\n',
    ',',
    ' ',
    '<!--',
    '&#0;',
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(...lintKinds), (text, kind) => {
      const lines = text.split('\n');
      for (const { line, column, message, fix } of lint(text, kind)) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeGreaterThanOrEqual(1);
        expect([message, fix]).not.toContain('');
      }
    }),
    { numRuns: 3000 },
  );
  for (const kind of lintKinds) {
    for (const text of ['<a b="', 'xen-pciback.hide=', '(', ';', 'pci: 0/', '<', ' ', 'pci=[', '<!--', "a='"]) {
      lint(text.repeat(100_000), kind);
    }
  }
});

it('a mebibyte of mistakes: the first hundred are told', () => {
  for (const kind of lintKinds) {
    for (const unit of ['a=1\n', '\\\n', '[', 'xen-pciback.hide=(x)\n', 'pci=["x"]\n', '<hostdev ']) {
      const text = unit.repeat(Math.ceil((1 << 20) / unit.length));
      expect(lint(text, kind).length, `${kind} ${unit}`).toBeLessThanOrEqual(100);
    }
  }
});
