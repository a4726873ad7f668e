/** xenpt-concepts(7), by section: a title and its paragraphs. */
export const conceptSections: readonly (readonly [title: string, ...paragraphs: string[]])[] = [
  [
    'ASSIGNABLE',
    'A device is assignable when it is bound to the driver pciback of dom0 (module xen-pciback) instead ' +
      'of its own, and stands in quarantine. Xen then owns it in the name of the pseudo domain DOMID_IO, ' +
      'and its DMA goes nowhere. `xenpt assignable add` does this, and keeps the driver that it came from ' +
      'where xl keeps it, so that both tools can take the device back.',
  ],
  [
    'TRANSACTIONS',
    'Every change of a device is a transaction in /var/lib/xenpt/journal. What the device was is written ' +
      'down first: its driver, its driver_override, its configuration space. Each step is in the journal ' +
      'before it is done and after it was read back; each write to the journal is on disk before the next ' +
      'step.',
    'When a step fails, all steps are taken back in reverse order, and xenpt ends with 7. When something ' +
      'cannot be taken back it ends with 8 and names it. When xenpt is killed, `xenpt recover` ends what it ' +
      'had begun: a device that was being made assignable goes back to its driver, and one that was being ' +
      'given back goes on to its driver. Nothing is believed of the journal that can be looked at; another ' +
      'card in the same slot is never touched; a restart of the host makes its transactions void.',
    '`xenpt undo` does the opposite of a finished transaction, as a transaction of its own.',
  ],
  [
    'VERDICTS AND OVERRIDES',
    '`xenpt list` and `xenpt show` judge each device by named rules; `xenpt explain` has them all. What a rule ' +
      'calls not assignable, assignable add and attach refuse. Three overrides set some rules aside, each those ' +
      'that it names and no other: --accept-siblings (group-incomplete, bus-shared), --allow-critical (boot-disk, ' +
      'management-route, only-display), --no-reset-ok (no-reset). What was set aside stands in the journal, in ' +
      '`xenpt undo --list` and in `xenpt assignable list`. One that was given when the device was made assignable ' +
      'holds for the guest that gets it.',
    'On a terminal xenpt asks before it sets something aside, writes what is read at boot, takes a device ' +
      'from a guest that is not asked (detach --without-guest) or ends a guest (qmp: quit, system_reset). ' +
      '--yes answers; off a terminal nothing asks.',
  ],
  [
    'OVER RESTARTS',
    'An address is not an identity: a card that is added or moved renumbers the others. assignable add --persist ' +
      'records what the card is (vendor, device, subsystem, class, serial number) and the way to it from the root ' +
      'of the bus. At boot a udev rule, also in the initramfs, finds it by that and reserves it for pciback before ' +
      'any driver sees it; then `xenpt assignable restore` puts it into quarantine. If another card is in its ' +
      'place, that is told with the difference, and the card is not touched.',
  ],
  [
    'RESET',
    'A device should forget its last user before it gets the next one. pciback resets it when it takes it ' +
      'and when it gives it away, by the first method that the kernel has for it. A device without one ' +
      'keeps what its last guest has left in it; it is refused without --no-reset-ok.',
  ],
  [
    'GROUPS',
    'Functions that the IOMMU cannot tell apart, or that can reach each other without it, share their ' +
      'fate: give them to the same guest. On Xen the kernel of dom0 does not show the groups, since Xen ' +
      'owns the IOMMU.',
  ],
  [
    'GUEST VIEW',
    'A guest sees a device through the registers that xenpt describes to it: bits that nobody has ' +
      'described are read from the device and never written. `xenpt guest-view` shows both sides and what ' +
      'was denied.',
  ],
];
