/* libxenforeignmemory.so.1. A resource is the file "resource-DOMID-TYPE-ID-FRAME", guest memory the file
 * "memory-DOMID"; a guest frame at or above 2^24 is not there. */
#include "fake.h"

typedef struct xenforeignmemory_handle {
  int unused;
} xenforeignmemory_handle;

typedef struct xenforeignmemory_resource_handle {
  void *address;
  size_t size;
} xenforeignmemory_resource_handle;

enum { PAGE_SIZE = 4096 };
static const uint64_t FRAME_LIMIT = 1 << 24;

xenforeignmemory_handle *xenforeignmemory_open(xentoollog_logger *logger, unsigned flags) {
  (void)logger;
  record("xenforeignmemory_open %u", flags);
  return fails("xenforeignmemory_open") ? NULL : calloc(1, sizeof(xenforeignmemory_handle));
}

int xenforeignmemory_close(xenforeignmemory_handle *handle) {
  record("xenforeignmemory_close");
  free(handle);
  return 0;
}

xenforeignmemory_resource_handle *xenforeignmemory_map_resource(xenforeignmemory_handle *handle, uint16_t domid,
                                                                unsigned type, unsigned id, unsigned long frame,
                                                                unsigned long count, void **address, int protection,
                                                                int flags) {
  (void)handle;
  record("xenforeignmemory_map_resource %u %u %u %lu %lu %d %d", domid, type, id, frame, count, protection, flags);
  if (fails("xenforeignmemory_map_resource")) return NULL;
  char name[128];
  snprintf(name, sizeof name, "resource-%u-%u-%u-%lu", domid, type, id, frame);
  int file = open(fake_path(name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (ftruncate(file, (off_t)(count * PAGE_SIZE)) != 0) abort();
  xenforeignmemory_resource_handle *resource = malloc(sizeof *resource);
  resource->size = count * PAGE_SIZE;
  resource->address = mmap(NULL, resource->size, protection, MAP_SHARED, file, 0);
  close(file);
  *address = resource->address;
  return resource;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *handle, xenforeignmemory_resource_handle *resource) {
  (void)handle;
  record("xenforeignmemory_unmap_resource");
  munmap(resource->address, resource->size);
  free(resource);
  return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *handle, uint32_t domid, int protection, size_t count,
                           const uint64_t *frames, int *errors) {
  (void)handle;
  record("xenforeignmemory_map %u %d %zu first %" PRIu64, domid, protection, count, frames[0]);
  if (fails("xenforeignmemory_map")) return NULL;
  char name[128];
  snprintf(name, sizeof name, "memory-%u", domid);
  int file = open(fake_path(name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  uint8_t *memory = mmap(NULL, count * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (size_t index = 0; index < count; index++) {
    errors[index] = frames[index] < FRAME_LIMIT ? 0 : -ENOENT;
    if (errors[index] != 0) continue;
    off_t offset = (off_t)(frames[index] * PAGE_SIZE);
    struct stat status;
    fstat(file, &status);
    if (status.st_size < offset + PAGE_SIZE && ftruncate(file, offset + PAGE_SIZE) != 0) abort();
    mmap(memory + index * PAGE_SIZE, PAGE_SIZE, protection, MAP_SHARED | MAP_FIXED, file, offset);
  }
  close(file);
  return memory;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *handle, void *address, size_t count) {
  (void)handle;
  record("xenforeignmemory_unmap %zu", count);
  munmap(address, count * PAGE_SIZE);
  return 0;
}
