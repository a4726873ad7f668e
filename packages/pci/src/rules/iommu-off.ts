import type { HostRule } from './rule.js';

export const iommuOff: HostRule = {
  scope: 'host',
  id: 'iommu-off',
  title: 'No IOMMU is at work',
  cause:
    'VT-d or AMD-Vi is switched off in the firmware, or on the command line of Xen or the kernel, or is missing.',
  consequence: 'Xen refuses to give a device to an HVM guest; a PV guest with one could read and write all memory.',
  remedy: 'Switch VT-d or AMD-Vi on in the firmware; remove iommu=off or iommu=0 from Xen’s command line.',
  check: ({ host: { iommu, xen } }) => {
    if (iommu !== false) return [];
    const off = /(?:^|\s)(iommu=(?:off|0|no|false)\S*)/.exec(xen?.commandLine ?? '')?.[1];
    const evidence =
      xen === null ? ['/sys/kernel/iommu_groups is empty'] : ['xl info: virt_caps without hvm_directio'];
    return [
      {
        effect: 'blocks',
        severity: xen === null ? 'info' : 'error',
        message: off === undefined ? 'no IOMMU is at work' : `the IOMMU is switched off by ${off}`,
        evidence,
        fix:
          xen === null
            ? 'intel_iommu=on (or amd_iommu=on) on the kernel command line'
            : 'iommu=verbose,required on the command line of Xen',
      },
    ];
  },
};
