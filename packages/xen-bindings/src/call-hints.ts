/** What an errno of a C function usually means, where the number alone misleads. Meanings from Xen's own code. */
interface CallHint {
  readonly calls: RegExp;
  readonly errnoName: string;
  readonly meaning: string;
}

const hints: readonly CallHint[] = [
  { calls: /^xc_(test_)?assign_device$/, errnoName: 'EOPNOTSUPP', meaning: 'the domain or the machine has no IOMMU' },
  {
    calls: /^xc_(test_)?assign_device$/,
    errnoName: 'EXDEV',
    meaning: 'the domain uses populate-on-demand, paging, sharing or log-dirty, which exclude passthrough',
  },
  {
    calls: /^xc_(test_)?assign_device$/,
    errnoName: 'EBUSY',
    meaning: 'another domain owns the device, or its MSI-X is still masked as a whole',
  },
  {
    calls: /^xc_(test_)?assign_device$/,
    errnoName: 'EPERM',
    meaning: 'the device shares reserved memory (RMRR) with another one',
  },
  { calls: /^xc_(test_)?assign_device$/, errnoName: 'EBADF', meaning: 'Xen has marked the device as broken' },
  {
    calls: /^xc_.*device$/,
    errnoName: 'ENODEV',
    meaning: 'Xen does not know the device, or the domain has not got it',
  },
  { calls: /^xc_physdev_map_pirq/, errnoName: 'ENODEV', meaning: 'the device is not assigned to that domain' },
  { calls: /^xc_physdev_map_pirq/, errnoName: 'ENOSPC', meaning: 'the domain has no free pirq' },
  { calls: /^xc_physdev_map_pirq_msi$/, errnoName: 'ENXIO', meaning: "the device's memory decoding is off" },
  { calls: /^xc_domain_(bind|update)/, errnoName: 'ESRCH', meaning: 'the domain was created without an IOMMU' },
  {
    calls: /^xc_shadow_control$/,
    errnoName: 'EINVAL',
    meaning: 'dirty logging is on already, or the domain has a PCI device, or it is the caller itself',
  },
  {
    calls: /^xc_(shadow|logdirty)_control$/,
    errnoName: 'EOPNOTSUPP',
    meaning: 'the domain is PV, and Xen was built without shadow paging',
  },
  {
    calls: /^xc_(shadow|logdirty)_control$/,
    errnoName: 'EBUSY',
    meaning: 'another such call for the domain is under way, or an ioreq server holds pages of it',
  },
  {
    calls: /^xc_logdirty_control$/,
    errnoName: 'ENOMEM',
    meaning: 'Xen had no memory to note every write, so the log is not complete',
  },
  { calls: /^xc_/, errnoName: 'ESRCH', meaning: 'there is no such domain' },
  {
    calls: /^xc_/,
    errnoName: 'EACCES',
    meaning: 'the libxenctrl in use belongs to another Xen release than the running hypervisor',
  },
  { calls: /^xc_/, errnoName: 'EPERM', meaning: 'only the control domain (dom0) may do this' },
  {
    calls: /^xendevicemodel_create_ioreq_server$/,
    errnoName: 'ENOSPC',
    meaning: 'the domain has its 8 ioreq servers already',
  },
  {
    calls: /^xendevicemodel_map_/,
    errnoName: 'EEXIST',
    meaning: 'the server has claimed this, or a part of it, before',
  },
  { calls: /^xendevicemodel_/, errnoName: 'EPERM', meaning: 'another domain created that ioreq server' },
  { calls: /^xendevicemodel_/, errnoName: 'ENOENT', meaning: 'the domain has no ioreq server with that id' },
  { calls: /^xendevicemodel_/, errnoName: 'ESRCH', meaning: 'there is no such domain' },
  { calls: /^pwrite$/, errnoName: 'EIO', meaning: 'the device may be gone: look into the kernel log (dmesg)' },
  { calls: /^xs_/, errnoName: 'EACCES', meaning: "the node's permissions forbid it" },
];

/** ` (meaning)` or nothing. The first matching line counts, so the particular ones stand above the general. */
export function hintFor(call: string, errnoName: string): string {
  const hint = hints.find((candidate) => candidate.errnoName === errnoName && candidate.calls.test(call));
  return hint === undefined ? '' : `: ${hint.meaning}`;
}
