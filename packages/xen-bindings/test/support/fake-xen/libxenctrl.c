/* libxenctrl.so.4.17. Domains are the 112-byte structures in the file "domains", the machine the file "physinfo". */
#include "fake.h"

typedef struct xc_interface_core {
  xentoollog_logger *logger;
} xc_interface;

enum { STRUCTURE_SIZE = 112 };

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger, unsigned flags) {
  (void)dombuild_logger;
  record("xc_interface_open %u", flags);
  if (fails("xc_interface_open")) return NULL;
  xc_interface *xch = malloc(sizeof *xch);
  xch->logger = logger;
  return xch;
}

int xc_interface_close(xc_interface *xch) {
  record("xc_interface_close");
  free(xch);
  return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max, void *info) {
  (void)xch;
  record("xc_domain_getinfolist %u %u", first, max);
  if (fails("xc_domain_getinfolist")) return -1;
  uint8_t structure[STRUCTURE_SIZE];
  unsigned count = 0;
  int file = open(fake_path("domains"), O_RDONLY | O_CLOEXEC);
  while (count < max && read(file, structure, sizeof structure) == sizeof structure) {
    uint16_t domid;
    memcpy(&domid, structure, sizeof domid);
    if (domid < first) continue;
    memcpy((uint8_t *)info + count * STRUCTURE_SIZE, structure, sizeof structure);
    count++;
  }
  close(file);
  return (int)count;
}

int xc_physinfo(xc_interface *xch, void *info) {
  (void)xch;
  record("xc_physinfo");
  if (fails("xc_physinfo")) return -1;
  int file = open(fake_path("physinfo"), O_RDONLY | O_CLOEXEC);
  ssize_t size = read(file, info, STRUCTURE_SIZE);
  close(file);
  return size == STRUCTURE_SIZE ? 0 : -1;
}

int xc_version(xc_interface *xch, int command, void *argument) {
  (void)xch;
  record("xc_version %d", command);
  if (fails("xc_version")) return -1;
  if (command == 0) return 4 << 16 | 17;
  if (command == 1) strcpy(argument, ".7-fake");
  if (command == 6) ((uint32_t *)argument)[1] = 0xdeadbeefu;
  return 0;
}

/* A function that records its arguments and succeeds. When it is to fail it says so to the logger first. */
#define SUCCEED(function)                                       \
  if (fails(#function)) {                                       \
    int saved = errno;                                          \
    say(xch->logger, "%s of %s", "the fake's refusal", #function); \
    errno = saved;                                              \
    return -1;                                                  \
  }                                                             \
  return 0;

int xc_test_assign_device(xc_interface *xch, uint32_t domid, uint32_t sbdf) {
  record("xc_test_assign_device %u %u", domid, sbdf);
  SUCCEED(xc_test_assign_device)
}

int xc_assign_device(xc_interface *xch, uint32_t domid, uint32_t sbdf, uint32_t flags) {
  record("xc_assign_device %u %u %u", domid, sbdf, flags);
  SUCCEED(xc_assign_device)
}

int xc_deassign_device(xc_interface *xch, uint32_t domid, uint32_t sbdf) {
  record("xc_deassign_device %u %u", domid, sbdf);
  SUCCEED(xc_deassign_device)
}

int xc_get_device_group(xc_interface *xch, uint32_t domid, uint32_t sbdf, uint32_t max, uint32_t *count,
                        uint32_t *group) {
  (void)xch;
  record("xc_get_device_group %u %u %u", domid, sbdf, max);
  if (fails("xc_get_device_group")) return -1;
  *count = 2;
  group[0] = sbdf;
  group[1] = 0xfffffff8u;
  return 0;
}

int xc_domain_iomem_permission(xc_interface *xch, uint32_t domid, unsigned long mfn, unsigned long count,
                               uint8_t allow) {
  record("xc_domain_iomem_permission %u %lu %lu %u", domid, mfn, count, allow);
  SUCCEED(xc_domain_iomem_permission)
}

int xc_domain_ioport_permission(xc_interface *xch, uint32_t domid, uint32_t first, uint32_t count, uint32_t allow) {
  record("xc_domain_ioport_permission %u %u %u %u", domid, first, count, allow);
  SUCCEED(xc_domain_ioport_permission)
}

int xc_domain_irq_permission(xc_interface *xch, uint32_t domid, uint32_t pirq, bool allow) {
  record("xc_domain_irq_permission %u %u %d", domid, pirq, allow);
  SUCCEED(xc_domain_irq_permission)
}

int xc_domain_memory_mapping(xc_interface *xch, uint32_t domid, unsigned long gfn, unsigned long mfn,
                             unsigned long count, uint32_t add) {
  record("xc_domain_memory_mapping %u %lu %lu %lu %u", domid, gfn, mfn, count, add);
  if (domid == 99) { /* as the real one does when it cannot find the domain: -errno, and errno left alone */
    errno = 0;
    return -EINVAL;
  }
  SUCCEED(xc_domain_memory_mapping)
}

int xc_domain_ioport_mapping(xc_interface *xch, uint32_t domid, uint32_t gport, uint32_t mport, uint32_t count,
                             uint32_t add) {
  record("xc_domain_ioport_mapping %u %u %u %u %u", domid, gport, mport, count, add);
  SUCCEED(xc_domain_ioport_mapping)
}

int xc_physdev_map_pirq(xc_interface *xch, uint32_t domid, int index, int *pirq) {
  record("xc_physdev_map_pirq %u %d %d", domid, index, *pirq);
  if (*pirq < 0) *pirq = index;
  SUCCEED(xc_physdev_map_pirq)
}

int xc_physdev_map_pirq_msi(xc_interface *xch, uint32_t domid, int index, int *pirq, int devfn, int segbus, int entry,
                            uint64_t table_base) {
  record("xc_physdev_map_pirq_msi %u %d %d %d %d %d %" PRIu64, domid, index, *pirq, devfn, segbus, entry, table_base);
  *pirq = 87;
  SUCCEED(xc_physdev_map_pirq_msi)
}

int xc_physdev_unmap_pirq(xc_interface *xch, uint32_t domid, int pirq) {
  record("xc_physdev_unmap_pirq %u %d", domid, pirq);
  SUCCEED(xc_physdev_unmap_pirq)
}

int xc_domain_bind_pt_pci_irq(xc_interface *xch, uint32_t domid, uint8_t pirq, uint8_t bus, uint8_t device,
                              uint8_t intx) {
  record("xc_domain_bind_pt_pci_irq %u %u %u %u %u", domid, pirq, bus, device, intx);
  SUCCEED(xc_domain_bind_pt_pci_irq)
}

int xc_domain_unbind_pt_irq(xc_interface *xch, uint32_t domid, uint8_t pirq, uint8_t type, uint8_t bus, uint8_t device,
                            uint8_t intx, uint8_t isa_irq) {
  record("xc_domain_unbind_pt_irq %u %u %u %u %u %u %u", domid, pirq, type, bus, device, intx, isa_irq);
  SUCCEED(xc_domain_unbind_pt_irq)
}

int xc_domain_update_msi_irq(xc_interface *xch, uint32_t domid, uint32_t gvec, uint32_t pirq, uint32_t gflags,
                             uint64_t gtable) {
  record("xc_domain_update_msi_irq %u %u %u %u %" PRIu64, domid, gvec, pirq, gflags, gtable);
  SUCCEED(xc_domain_update_msi_irq)
}

int xc_domain_unbind_msi_irq(xc_interface *xch, uint32_t domid, uint32_t gvec, uint32_t pirq, uint32_t gflags) {
  record("xc_domain_unbind_msi_irq %u %u %u %u", domid, gvec, pirq, gflags);
  SUCCEED(xc_domain_unbind_msi_irq)
}
