import { expect, it } from 'vitest';

import { describeCapabilities } from '../../../src/index.js';
import { ImageBuilder } from '../../support/image.js';

/** A function with one extended capability; words from its second on. */
function described(id: number, ...words: readonly number[]) {
  const builder = new ImageBuilder(4096).u32(0x100, 0x0001_0000 | id);
  for (const [index, word] of words.entries()) builder.u32(0x104 + 4 * index, word);
  const [capability] = describeCapabilities({ config: builder.config }).capabilities;
  if (capability === undefined) throw new Error(`there is no capability 0x${id.toString(16)}`);
  return capability;
}

it.each([
  ['errors', 0x01, [0, 0, 0, 0], 'uncorrectable errors: none; correctable ones: none'],
  [
    'errors met',
    0x01,
    [0x0010_4000, 0, 0, 0x0000_0041],
    'uncorrectable errors: completionTimeout unsupportedRequest; correctable ones: receiver badTlp',
  ],
  ['channels', 0x02, [0, 0, 0, 0, 0x8000_00ff], 'channel 0 carries classes 0 1 2 3 4 5 6 7'],
  [
    'two channels',
    0x02,
    [1, 0, 0, 0, 0x8000_007f, 0, 0, 0x0100_0080],
    'channel 0 carries classes 0 1 2 3 4 5 6; channel 1 is off',
  ],
  ['a serial number', 0x03, [0xff12_3456, 0x5254_00ff], '52-54-00-ff-ff-12-34-56'],
  ["a vendor's", 0x0b, [0x0181_0023], 'id 0x0023, revision 1, 24 bytes'],
  [
    'isolation',
    0x0d,
    [0x001d_005f],
    'offers sourceValidation translationBlocking requestRedirect completionRedirect upstreamForwarding ' +
      'directTranslated; ' +
      'on: sourceValidation requestRedirect completionRedirect upstreamForwarding',
  ],
  ['the next function', 0x0e, [0x0000_0100], 'next function 1'],
  ['the last function', 0x0e, [0], 'last function of the device'],
  ['translation', 0x0f, [0x8001_0060], 'on, smallest unit 8 KiB'],
  [
    'virtual functions',
    0x10,
    [0, 0x0000_0009, 0x0008_0008, 4, 0x0002_0080, 0x10ca_0000, 0x0553],
    '4 of 8 virtual functions on, device id 0x10ca; the first 128 behind this one, then every 2',
  ],
  ['multicast', 0x12, [0x8003_003f], 'on, 4 of 64 groups'],
  ['page requests', 0x13, [0x0100_0001, 32, 8], 'on, 8 of 32 requests allocated'],
  [
    'a BAR of several sizes',
    0x15,
    [0x0000_0700 << 4, 0x0000_0a22],
    'BAR 2 has 1 GiB, can have 256 MiB 512 MiB 1 GiB',
  ],
  [
    'BARs of several sizes',
    0x15,
    [0x10, 0x40, 0x20, 0x0102],
    'BAR 0 has 1 MiB, can have 1 MiB; BAR 2 has 2 MiB, can have 2 MiB',
  ],
  ['hints', 0x17, [0x0000_0405, 0x0000_0100], 'hints; steering tags in the MSI-X table'],
  ['latency', 0x18, [0x1003_1003], 'at most 3145728 ns with snooping, 3145728 ns without'],
  ['lanes', 0x19, [0, 0x0000_0005], 'lanes with errors: 0 2'],
  ['processes', 0x1b, [0x0001_1406], 'on, ids of 20 bits'],
  ['containment', 0x1d, [0x0001_0000, 0x0000_0001], 'trigger: fatal errors; it has triggered: the link is down'],
  [
    'substates',
    0x1e,
    [0x1f, 0x0c],
    'offers powerManagementL12 powerManagementL11 activeStateL12 activeStateL11; on: activeStateL12 activeStateL11',
  ],
  ['time', 0x1f, [0x0000_1001, 1], 'on, can be requester'],
  ["a designated vendor's", 0x23, [0x0380_1e98, 0x0003], 'vendor 0x1e98, id 0x0003, revision 0, 56 bytes'],
] as const)('%s in a phrase', (_, id, words, summary) => {
  expect(described(id, ...words).summary).toBe(summary);
});

it('what an operator should know is said', () => {
  expect(described(0x01, 0x0000_1000).remarks).toEqual([expect.stringContaining('errors that nobody has cleared')]);
  expect(described(0x01).remarks).toEqual([]);
  expect(described(0x17, 0x0000_0400).remarks).toEqual([expect.stringContaining('MSI-X table')]);
});

it('fields have names and values as people know them', () => {
  const fieldsOf = (id: number, words: readonly number[], name: string) => {
    const register = described(id, ...words).registers.find((one) => one.name === name);
    return Object.fromEntries((register?.fields ?? []).map((field) => [field.name, field.text ?? field.value]));
  };
  expect(fieldsOf(0x1e, [0x0028_1e1f], 'capabilities')).toMatchObject({
    commonModeRestoreTime: '30 us',
    powerOnScale: '2 us',
    powerOnValue: 5,
  });
  expect(fieldsOf(0x1d, [0, 0x0000_0003], 'status')).toMatchObject({ triggered: 1, reason: 'ERR_NONFATAL' });
  expect(fieldsOf(0x10, [0, 0, 0, 0, 0, 0, 0x0553], 'supportedPageSizes')).toEqual({
    sizes: '4 KiB 8 KiB 64 KiB 256 KiB 1 MiB 4 MiB',
  });
  expect(fieldsOf(0x01, [0, 0x0010_0000], 'uncorrectableMask')).toMatchObject({
    unsupportedRequest: 1,
    malformed: 0,
  });
});
