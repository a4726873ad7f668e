/* libxendevicemodel.so.1. */
#include "fake.h"

typedef struct xendevicemodel_handle {
  int unused;
} xendevicemodel_handle;

xendevicemodel_handle *xendevicemodel_open(xentoollog_logger *logger, unsigned flags) {
  (void)logger;
  record("xendevicemodel_open %u", flags);
  return fails("xendevicemodel_open") ? NULL : calloc(1, sizeof(xendevicemodel_handle));
}

int xendevicemodel_close(xendevicemodel_handle *handle) {
  record("xendevicemodel_close");
  free(handle);
  return 0;
}

int xendevicemodel_create_ioreq_server(xendevicemodel_handle *handle, uint16_t domid, int buffered, uint16_t *id) {
  (void)handle;
  record("xendevicemodel_create_ioreq_server %u %d", domid, buffered);
  if (fails("xendevicemodel_create_ioreq_server")) return -1;
  *id = 0xfffe;
  return 0;
}

int xendevicemodel_destroy_ioreq_server(xendevicemodel_handle *handle, uint16_t domid, uint16_t id) {
  (void)handle;
  record("xendevicemodel_destroy_ioreq_server %u %u", domid, id);
  return fails("xendevicemodel_destroy_ioreq_server") ? -1 : 0;
}

int xendevicemodel_set_ioreq_server_state(xendevicemodel_handle *handle, uint16_t domid, uint16_t id, int enabled) {
  (void)handle;
  record("xendevicemodel_set_ioreq_server_state %u %u %d", domid, id, enabled);
  return fails("xendevicemodel_set_ioreq_server_state") ? -1 : 0;
}

#define PCIDEV(function)                                                                                          \
  int function(xendevicemodel_handle *handle, uint16_t domid, uint16_t id, uint16_t segment, uint8_t bus,         \
               uint8_t device, uint8_t number) {                                                                  \
    (void)handle;                                                                                                 \
    record(#function " %u %u %u %u %u %u", domid, id, segment, bus, device, number);                              \
    return fails(#function) ? -1 : 0;                                                                             \
  }
PCIDEV(xendevicemodel_map_pcidev_to_ioreq_server)
PCIDEV(xendevicemodel_unmap_pcidev_from_ioreq_server)

#define IO_RANGE(function)                                                                                        \
  int function(xendevicemodel_handle *handle, uint16_t domid, uint16_t id, int is_mmio, uint64_t start,           \
               uint64_t end) {                                                                                    \
    (void)handle;                                                                                                 \
    record(#function " %u %u %d %" PRIu64 " %" PRIu64, domid, id, is_mmio, start, end);                           \
    return fails(#function) ? -1 : 0;                                                                             \
  }
IO_RANGE(xendevicemodel_map_io_range_to_ioreq_server)
IO_RANGE(xendevicemodel_unmap_io_range_from_ioreq_server)

#ifndef OLD_RELEASE
int xendevicemodel_nr_vcpus(xendevicemodel_handle *handle, uint16_t domid, unsigned *count) {
  (void)handle;
  record("xendevicemodel_nr_vcpus %u", domid);
  if (fails("xendevicemodel_nr_vcpus")) return -1;
  *count = 3;
  return 0;
}
#endif
