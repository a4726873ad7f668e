import { describe, expect, it } from 'vitest';
import { countMappings, parseXenLedger } from '../../src/story/xen-ledger.js';

// As Xen 4.20 printed it in the lab.
const debugKeys = `(XEN) ==== PCI devices ====
(XEN) ==== segment 0000 ====
(XEN) 0000:02:00.0 - d0 - node -1  - MSIs < 30 31 32 >
(XEN) 0000:01:00.0 - DomIO:8007 - node -1 
(XEN) Rangesets belonging to domain 0:
(XEN)     Interrupts { 1-23, 25-35 }
(XEN)     I/O Memory { 0-fed8f, fed91-fedff }
(XEN)     I/O Ports  { 0-1f, 22-3f }
(XEN)     log-dirty  { }
(XEN) Rangesets belonging to domain 3:
(XEN)     Interrupts { }
(XEN)     I/O Memory { fe840-fe87f }
(XEN)     I/O Ports  { c000-c01f }
`;

describe('parseXenLedger', () => {
  it('reads owner and message interrupts of a function', () => {
    expect(parseXenLedger(debugKeys, '0000:02:00.0')).toMatchObject({ owner: 'd0', messageInterrupts: [30, 31, 32] });
    expect(parseXenLedger(debugKeys, '0000:01:00.0')).toMatchObject({ owner: 'DomIO', messageInterrupts: [] });
    expect(parseXenLedger(debugKeys, '0000:03:00.0').owner).toBeNull();
  });

  it('reads what each domain may use', () => {
    const { rights } = parseXenLedger(debugKeys, '0000:01:00.0');
    expect([...rights.keys()]).toEqual([0, 3]);
    expect(rights.get(3)).toEqual({ interrupts: '', memory: 'fe840-fe87f', ports: 'c000-c01f' });
  });
});

describe('countMappings', () => {
  it('counts one frame of one domain, in the words of either Xen', () => {
    const log = [
      '(XEN) memory_map:add: dom3 gfn=f3050 mfn=fe840 nr=20',
      '(XEN) memory_map:add: d3 gfn=f3050 mfn=fe840 nr=20',
      '(XEN) memory_map:add: dom3 gfn=f3070 mfn=fe860 nr=20',
      '(XEN) memory_map:add: dom4 gfn=f3050 mfn=fe840 nr=20',
      '(XEN) memory_map:remove: dom3 gfn=f3050 mfn=fe840 nr=20',
    ].join('\n');
    expect(countMappings(log, 3, 0xfe840n)).toEqual({ added: 2, removed: 1 });
  });
});
