import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  addPciDevice,
  formatDevice,
  GrammarError,
  parseDevice,
  parseXlConfig,
  readPciDevices,
  readXlScalar,
  removePciDevices,
  replacePciDevice,
} from '../../src/grammar/index.js';
import { quote, tokenize, unquote } from '../../src/grammar/xl-config-tokens.js';
import { anyXlSpec } from './arbitrary.js';

const web = `# the web server
name = "web"; type="hvm"
memory = 0x200   # MiB
vif = [ 'mac=00:16:3e:00:00:01,bridge=xenbr0', "x" ]
pci = [
  "0000:03:00.0@5",  # uplink
  # the sound card
  '04:00.*,permissive=1',
]
on_crash="restart"
`;
const uplink = parseDevice('0000:05:00.0@7', 'xl');
const devices = (text: string) => readPciDevices(parseXlConfig(text)).map(({ written }) => written);

describe('reading', () => {
  it('finds the devices with their lines, and the rest', () => {
    const config = parseXlConfig(web);
    expect(readPciDevices(config).map(({ written, line }) => [line, written])).toEqual([
      [6, '0000:03:00.0@5'],
      [8, '04:00.*,permissive=1'],
    ]);
    expect([readXlScalar(config, 'name'), readXlScalar(config, 'memory'), readXlScalar(config, 'vif')]).toEqual([
      'web',
      512,
      undefined,
    ]);
    expect(config.settings.map(({ name, line }) => `${line} ${name}`)).toEqual([
      '2 name',
      '2 type',
      '3 memory',
      '4 vif',
      '5 pci',
      '10 on_crash',
    ]);
  });

  it('lets the last setting count, and += add to it, as xl does', () => {
    expect(devices('pci=["01:00.0"]\npci=["02:00.0"]\npci+=["03:00.0"]')).toEqual(['02:00.0', '03:00.0']);
    expect(devices('pci+=["03:00.0"]\n')).toEqual(['03:00.0']);
    expect(devices('name="x"')).toEqual([]);
  });

  it('knows the escapes of a text', () => {
    const config = parseXlConfig(String.raw`a="\x41\102\"\\\t" b`.replace(' b', ''));
    expect(readXlScalar(config, 'a')).toBe('AB"\\\t');
  });

  it.each([
    ['pci=["03:00.0"', 1, 15],
    ['a=1\npci=["03:00.0]', 2, 6],
    ['a=1\npci=["03:20.0"]', 2, 10],
    ['pci="03:00.0"', 1, 5],
    ['pci=[1]', 1, 6],
    ['pci=["03:00.0" "04:00.0"]', 1, 16],
    ['=1', 1, 1],
    ['a 1', 1, 3],
    ['a=1 b=2', 1, 5],
    ['a=09', 1, 3],
    ['a="\\q"', 1, 4],
    ['a={}', 1, 3],
    ['a=' + '['.repeat(20), 1, 11],
  ])('tells where %j is wrong', (text, line, column) => {
    expect(() => readPciDevices(parseXlConfig(text))).toThrow(
      expect.objectContaining({ code: 'PCI_GRAMMAR', line, column }) as Error,
    );
  });
});

describe('writing', () => {
  it('adds as the neighbours are written, and touches nothing else', () => {
    expect(addPciDevice(parseXlConfig(web), uplink)).toBe(
      web.replace("permissive=1',\n", "permissive=1',\n  '0000:05:00.0@07',\n"),
    );
    const add = (text: string) => addPciDevice(parseXlConfig(text), uplink);
    expect(add('pci=["03:00.0"] # card')).toBe('pci=["03:00.0", "0000:05:00.0@07"] # card');
    expect(add("pci=['03:00.0',]")).toBe("pci=['03:00.0', '0000:05:00.0@07',]");
    expect(add('pci=[]\n')).toBe('pci=["0000:05:00.0@07"]\n');
    expect(add('name="x"')).toBe('name="x"\npci = [ "0000:05:00.0@07" ]');
    expect(add('name="x"\n')).toBe('name="x"\npci = [ "0000:05:00.0@07" ]\n');
    expect(add('')).toBe('pci = [ "0000:05:00.0@07" ]\n');
    const commented = 'pci=[\n "01:00.0", # one\n "02:00.0" # two\n]';
    expect(add(commented)).toBe('pci=[\n "01:00.0", # one\n "02:00.0", # two\n "0000:05:00.0@07"\n]');
    expect(add('pci=["01:00.0"]\npci+=["02:00.0"]')).toBe('pci=["01:00.0"]\npci+=["02:00.0", "0000:05:00.0@07"]');
  });

  it('removes an entry with its comma and its line, and keeps the comments', () => {
    const config = parseXlConfig(web);
    expect(removePciDevices(config, ({ device }) => device.address?.bus === 3)).toBe(
      web.replace('  "0000:03:00.0@5",  # uplink', '  # uplink'),
    );
    expect(removePciDevices(config, ({ device }) => device.address?.bus === 4)).toBe(
      web.replace("  '04:00.*,permissive=1',\n", ''),
    );
    const remove = (text: string, bus: number) =>
      removePciDevices(parseXlConfig(text), ({ device }) => device.address?.bus === bus);
    expect(remove('pci=["01:00.0", "02:00.0", "03:00.0"]', 2)).toBe('pci=["01:00.0", "03:00.0"]');
    expect(remove('pci=["01:00.0", "02:00.0"]', 2)).toBe('pci=["01:00.0"]');
    expect(remove('pci=["01:00.0", "02:00.0"]', 1)).toBe('pci=["02:00.0"]');
    expect(remove('pci=["01:00.0"]', 1)).toBe('pci=[]');
  });

  it('replaces one entry in its own quotes', () => {
    const config = parseXlConfig(web);
    const [, second] = readPciDevices(config);
    expect(replacePciDevice(config, second ?? ([] as never), uplink)).toBe(
      web.replace('04:00.*,permissive=1', '0000:05:00.0@07'),
    );
  });

  /** Lists as people write them: quotes, commas, comments and lines at will. */
  const anyFile = fc
    .tuple(
      fc.array(
        fc.tuple(
          anyXlSpec,
          fc.constantFrom('"' as const, "'" as const),
          fc.constantFrom('', ' ', '\n  ', ' # note, "x"\n'),
        ),
        {
          maxLength: 5,
        },
      ),
      fc.boolean(),
      fc.constantFrom('', 'name="web" # pci=["x"]\n', '# only\n\n'),
      fc.constantFrom('', '\n', '; memory=512', ' # end\nvif=["a,b"]\n'),
    )
    .map(([entries, trailing, before, after]) => {
      const written = entries.map(
        ([spec, mark, gap], index) =>
          gap + quote(formatDevice(spec, 'xl'), mark) + (index < entries.length - 1 || trailing ? ',' : ''),
      );
      return { before, after, text: `${before}pci = [${written.join('')} ]${after}`, count: entries.length };
    });

  it('any file: what is added is read last and taken away again; the rest stays byte for byte', () => {
    fc.assert(
      fc.property(anyFile, anyXlSpec, ({ text, before, after, count }, spec) => {
        const devicesBefore = devices(text);
        expect(devicesBefore).toHaveLength(count);
        const added = addPciDevice(parseXlConfig(text), spec);
        expect(devices(added)).toEqual([...devicesBefore, formatDevice(spec, 'xl')]);
        expect(added.startsWith(before)).toBe(true);
        expect(added.endsWith(after)).toBe(true);
        let seen = 0;
        const removed = removePciDevices(parseXlConfig(added), () => seen++ === count);
        expect(removed).toBe(text);
        const comments = (whole: string) => whole.match(/#[^\n]*/g) ?? [];
        const without = removePciDevices(parseXlConfig(text), () => true);
        expect(devices(without)).toEqual([]);
        expect(comments(without)).toEqual(comments(text));
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['', 'name="x"', 'name="x"\n', '# only\n', 'memory=1 # none\n\n', 'pci=[]\n', 'pci = [\n]', web])(
    '%j: what is added and removed leaves no trace',
    (text) => {
      const added = parseXlConfig(addPciDevice(parseXlConfig(text), uplink));
      expect(removePciDevices(added, ({ device }) => device.address?.bus === 5)).toBe(text);
    },
  );

  it('a list that was written otherwise stays, empty', () => {
    const remove = (text: string) => removePciDevices(parseXlConfig(text), () => true);
    expect(remove('pci = [ "0000:05:00.0" ] # none\n')).toBe('pci = [  ] # none\n');
    expect(remove('a=1; pci = [ "0000:05:00.0" ]\n')).toBe('a=1; pci = [  ]\n');
    expect(remove('pci += [ "0000:05:00.0" ]\n')).toBe('pci += [  ]\n');
  });

  it('a text in quotes is read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.constantFrom('"' as const, "'" as const), (value, mark) => {
        const written = quote(value, mark);
        const [token] = tokenize(written);
        expect(token && unquote(written, token)).toBe(value);
      }),
    );
  });
});

it('no text crashes the reader, and none holds it up', () => {
  const pieces = fc.constantFrom(
    'pci',
    '=',
    '+=',
    '[',
    ']',
    ',',
    ';',
    '\n',
    '#',
    '"03:00.0"',
    "'",
    '"',
    '\\',
    ' ',
    '1',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          readPciDevices(parseXlConfig(text));
        } catch (error) {
          if (!(error instanceof GrammarError)) throw error;
        }
      },
    ),
    { numRuns: 3000 },
  );
  for (const text of ['[', '#', '"', '\\', 'a=1\n', 'a=[', ' ', "pci=['"]) {
    try {
      parseXlConfig(text.repeat(200_000));
    } catch (error) {
      expect(error).toBeInstanceOf(GrammarError);
    }
  }
  expect(() => parseXlConfig(' '.repeat(1024 * 1024 + 1))).toThrow(/1 MiB/);
});
