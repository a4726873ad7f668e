import { describe, expect, it } from 'vitest';
import { parseInterrupts } from '../../src/story/card.js';

const apic = `           CPU0       CPU1
  4:        512          3   IO-APIC   4-edge      ttyS0
 24:          7          5  PCI-MSIX-0000:00:05.0   0-edge      eth0-rx-0
 25:         11          0  PCI-MSIX-0000:00:05.0   1-edge      eth0-tx-0
NMI:          0          0   Non-maskable interrupts
`;

describe('parseInterrupts', () => {
  it('takes the lines of one interface and sums over the processors', () => {
    expect(parseInterrupts(apic, 'eth0')).toEqual([
      { name: 'eth0-rx-0', controller: 'PCI-MSIX-0000:00:05.0   0-edge', count: 12 },
      { name: 'eth0-tx-0', controller: 'PCI-MSIX-0000:00:05.0   1-edge', count: 11 },
    ]);
  });

  it('takes none where there is none', () => {
    expect(parseInterrupts(apic, 'eth1')).toEqual([]);
  });
});
