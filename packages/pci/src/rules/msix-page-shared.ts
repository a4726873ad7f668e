import type { FunctionRule } from './rule.js';

export const msixPageShared: FunctionRule = {
  scope: 'function',
  id: 'msix-page-shared',
  title: 'Registers share a page with the MSI-X table',
  cause: 'The device puts other registers on the 4 KiB page of its MSI-X table, against PCI Local Bus 3.0 §6.8.2.',
  consequence:
    'Xen and QEMU trap that page: accesses to the neighbours become slow, are lost, or are refused. Known from the ' +
    'Coral Edge TPU.',
  remedy:
    'Use a device model that serves the neighbours too (xenpt does), a Xen with sub-page support, or plain MSI.',
  check: ({ interrupts: { msix } }) => {
    if (msix === null || !msix.sharesPage) return [];
    const place = `BAR ${msix.tableBarIndex} at 0x${msix.tableOffset.toString(16)}`;
    return [
      {
        effect: 'warns',
        message: `its MSI-X table (${place}) does not start its page: registers before it are trapped too`,
        evidence: [`table ${place}`, `pending bits BAR ${msix.pbaBarIndex} at 0x${msix.pbaOffset.toString(16)}`],
        fix: null,
      },
    ];
  },
};
