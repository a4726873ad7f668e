/* libxenctrl.so.4.17. Domains are the 112-byte structures in the file "domains", the machine the file "physinfo".
 * The dirty map of domain 5 is the file "dirty-5"; log-dirty is on while the file "logdirty-5" is there. */
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
  if (command == 9) strcpy(argument, "iommu=required extra_guest_irqs=64");
  if (command == 6) ((uint32_t *)argument)[1] = 0xdeadbeefu;
  return 0;
}

/* When a function is to fail it says so to the logger first. */
#define REFUSE_IF_TOLD(function)                                \
  if (fails(#function)) {                                       \
    int saved = errno;                                          \
    say(xch->logger, "%s of %s", "the fake's refusal", #function); \
    errno = saved;                                              \
    return -1;                                                  \
  }

/* A function that records its arguments and succeeds. */
#define SUCCEED(function)  \
  REFUSE_IF_TOLD(function) \
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
  /* iommu_get_device_group(): bus << 16 | devfn << 8. */
  group[0] = sbdf << 8;
  group[1] = 0xfff800u;
  return 0;
}

/* As many regions as the bus has, one frame each. */
int xc_reserved_device_memory_map(xc_interface *xch, uint32_t flags, uint16_t segment, uint8_t bus, uint8_t devfn,
                                  uint64_t *entries, uint32_t *count) {
  record("xc_reserved_device_memory_map %u %u %u %u %u", flags, segment, bus, devfn, *count);
  REFUSE_IF_TOLD(xc_reserved_device_memory_map)
  uint32_t most = *count;
  *count = bus;
  if (bus > most) {
    errno = ENOBUFS;
    return -1;
  }
  for (uint32_t index = 0; index < bus; ++index) {
    entries[2 * index] = 0x1000u + index;
    entries[2 * index + 1] = 1;
  }
  return 0;
}

int xc_domain_pause(xc_interface *xch, uint32_t domid) {
  record("xc_domain_pause %u", domid);
  SUCCEED(xc_domain_pause)
}

int xc_domain_unpause(xc_interface *xch, uint32_t domid) {
  record("xc_domain_unpause %u", domid);
  SUCCEED(xc_domain_unpause)
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

/* libxencall, which libxenctrl brings along: two hypercalls are made through it. */
typedef struct { uint16_t domid; int32_t type, index, pirq, bus, devfn, count; uint64_t table_base; } map_pirq_t;
typedef struct { uint32_t command, version; uint64_t domid; uint32_t pirq, type; uint8_t bus, device, intx; } pt_irq_t;

enum { domctl_version = 0x15 };

void *xencall_open(void *logger, unsigned flags) {
  if (logger != NULL || flags != 0) abort();
  return fails("xencall_open") ? NULL : malloc(1);
}

int xencall_close(void *call) {
  free(call);
  return 0;
}

void *xencall_alloc_buffer(void *call, size_t size) {
  return call == NULL || fails("xencall_alloc_buffer") ? NULL : malloc(size);
}

void xencall_free_buffer(void *call, void *buffer) {
  if (call == NULL) abort();
  free(buffer);
}

int xencall2(void *call, unsigned op, uint64_t command, uint64_t argument) {
  map_pirq_t *map = (map_pirq_t *)(uintptr_t)argument;
  record("physdev_op %d: map_pirq %u %d %d %d %d %d %d %d", (int)command, map->domid, map->type, map->index, map->pirq,
         map->bus, map->devfn, map->count, (int)map->table_base);
  if (call == NULL || op != 33 || fails("physdev_op")) return -1;
  map->pirq = 48;
  return 0;
}

int xencall1(void *call, unsigned op, uint64_t argument) {
  const pt_irq_t *irq = (const pt_irq_t *)(uintptr_t)argument;
  if (irq->version != domctl_version) {
    errno = EACCES;
    return -1;
  }
  record("domctl %u: pt_irq %" PRIu64 " %u %u %u %u %u", irq->command, irq->domid, irq->pirq, irq->type, irq->bus,
         irq->device, irq->intx);
  return call == NULL || op != 36 || fails("domctl") ? -1 : 0;
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

/* Dirty logging. */
typedef struct xc_hypercall_buffer {
  void *hbuf;
  struct xc_hypercall_buffer *param_shadow;
  int dir;
  void *ubuf;
  size_t sz;
} xc_hypercall_buffer_t;

typedef struct {
  uint32_t fault_count;
  uint32_t dirty_count;
} shadow_op_stats;

enum { OFF = 0, ENABLE_LOGDIRTY = 2, CLEAN = 11, PEEK = 12, PAGE_SIZE = 4096 };

static char *domain_path(const char *prefix, uint32_t domid) {
  char name[64];
  snprintf(name, sizeof name, "%s-%u", prefix, domid);
  return fake_path(name);
}

void *xc__hypercall_buffer_alloc_pages(xc_interface *xch, xc_hypercall_buffer_t *buffer, int count) {
  record("xc__hypercall_buffer_alloc_pages %d", count);
  if (buffer->dir != 0 || buffer->param_shadow != NULL) abort();
  if (fails("xc__hypercall_buffer_alloc_pages")) {
    say(xch->logger, "no memory for a hypercall");
    errno = ENOMEM;
    return NULL;
  }
  buffer->hbuf = aligned_alloc(PAGE_SIZE, (size_t)count * PAGE_SIZE);
  memset(buffer->hbuf, 0xa5, (size_t)count * PAGE_SIZE); /* what nobody writes must not come out as a map */
  return buffer->hbuf;
}

void xc__hypercall_buffer_free_pages(xc_interface *xch, xc_hypercall_buffer_t *buffer, int count) {
  (void)xch;
  record("xc__hypercall_buffer_free_pages %d", count);
  free(buffer->hbuf);
  buffer->hbuf = NULL;
}

int xc_shadow_control(xc_interface *xch, uint32_t domid, unsigned operation, unsigned *megabytes, unsigned mode) {
  record("xc_shadow_control %u %u %d %u", domid, operation, megabytes != NULL, mode);
  REFUSE_IF_TOLD(xc_shadow_control)
  const char *path = domain_path("logdirty", domid);
  if (operation == OFF) {
    unlink(path);
    return 0;
  }
  if (operation != ENABLE_LOGDIRTY || access(path, F_OK) == 0) {
    errno = EINVAL;
    return -1;
  }
  close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return 0;
}

/* As many pages as the file has bits, at most; the counters are the number of bits, and of calls so far. */
long long xc_logdirty_control(xc_interface *xch, uint32_t domid, unsigned operation, xc_hypercall_buffer_t *bitmap,
                              unsigned long pages, unsigned mode, shadow_op_stats *stats) {
  static uint32_t calls;
  record("xc_logdirty_control %u %u %lu %u", domid, operation, pages, mode);
  REFUSE_IF_TOLD(xc_logdirty_control)
  const char *path = domain_path("dirty", domid);
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return -1;
  size_t size = (pages + 7) / 8;
  ssize_t got = read(file, bitmap->hbuf, size);
  uint32_t dirty = 0;
  for (ssize_t index = 0; index < got; index++)
    dirty += (uint32_t)__builtin_popcount(((uint8_t *)bitmap->hbuf)[index]);
  stats->fault_count = ++calls;
  stats->dirty_count = dirty;
  if (operation == CLEAN) {
    uint8_t *zero = calloc(1, (size_t)got + 1);
    if (pwrite(file, zero, (size_t)got, 0) != got) abort();
    free(zero);
  }
  close(file);
  return (long long)(pages < (unsigned long)got * 8 ? pages : (unsigned long)got * 8);
}

int xc_domain_nr_gpfns(xc_interface *xch, uint32_t domid, uint64_t *count) {
  record("xc_domain_nr_gpfns %u", domid);
  if (domid == 99) {
    errno = ESRCH;
    return -1;
  }
  *count = 0x100000000ull + domid;
  SUCCEED(xc_domain_nr_gpfns)
}
