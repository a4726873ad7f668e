/* libxenevtchn.so.1. Events are u32 port numbers in the FIFO "events"; the test writes them there.
 * "on-unmask" holds "FILE OFFSET BYTE": unmasking stores that byte, as a guest does that is quicker than we are. */
#include "fake.h"

typedef struct xenevtchn_handle {
  int fd;
} xenevtchn_handle;

/* The port of a wake event is not one of a guest; the one bound to it is 1000 more, as with all. */
enum { OWN_DOMAIN = 0x7ff0, WAKE_PORT = 500, FIRST_LOCAL_PORT = 1000 };

xenevtchn_handle *xenevtchn_open(xentoollog_logger *logger, unsigned flags) {
  (void)logger;
  record("xenevtchn_open %u", flags);
  if (fails("xenevtchn_open")) return NULL;
  mkfifo(fake_path("events"), 0600);
  xenevtchn_handle *handle = malloc(sizeof *handle);
  handle->fd = open(fake_path("events"), O_RDWR | O_CLOEXEC);
  return handle;
}

int xenevtchn_close(xenevtchn_handle *handle) {
  record("xenevtchn_close");
  close(handle->fd);
  free(handle);
  return 0;
}

int xenevtchn_fd(xenevtchn_handle *handle) { return handle->fd; }

int xenevtchn_notify(xenevtchn_handle *handle, uint32_t port) {
  record("xenevtchn_notify %u", port);
  if (fails("xenevtchn_notify")) return -1;
  uint32_t other_end = port + FIRST_LOCAL_PORT;
  if (port == WAKE_PORT && write(handle->fd, &other_end, sizeof other_end) != sizeof other_end) abort();
  return 0;
}

int xenevtchn_bind_unbound_port(xenevtchn_handle *handle, uint32_t domid) {
  (void)handle;
  record("xenevtchn_bind_unbound_port %u", domid);
  return fails("xenevtchn_bind_unbound_port") ? -1 : WAKE_PORT;
}

int xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domid, uint32_t remote_port) {
  (void)handle;
  record("xenevtchn_bind_interdomain %u %u", domid, remote_port);
  if (fails("xenevtchn_bind_interdomain")) return -1;
  if (domid == OWN_DOMAIN && remote_port != WAKE_PORT) {
    errno = EINVAL; /* as Xen says of a port that nobody waits at */
    return -1;
  }
  return (int)(FIRST_LOCAL_PORT + remote_port);
}

int xenevtchn_unbind(xenevtchn_handle *handle, uint32_t port) {
  (void)handle;
  record("xenevtchn_unbind %u", port);
  return fails("xenevtchn_unbind") ? -1 : 0;
}

int xenevtchn_pending(xenevtchn_handle *handle) {
  uint32_t port;
  if (fails("xenevtchn_pending")) return -1;
  if (read(handle->fd, &port, sizeof port) != sizeof port) return -1;
  record("xenevtchn_pending %u", port);
  return (int)port;
}

static void act_on_unmask(void) {
  FILE *file = fopen(fake_path("on-unmask"), "r");
  if (file == NULL) return;
  char name[128];
  long offset;
  unsigned byte;
  if (fscanf(file, "%127s %ld %u", name, &offset, &byte) != 3) abort();
  fclose(file);
  unlink(fake_path("on-unmask"));
  int page = open(fake_path(name), O_RDWR | O_CLOEXEC);
  uint8_t value = (uint8_t)byte;
  if (pwrite(page, &value, 1, offset) != 1) abort();
  close(page);
}

int xenevtchn_unmask(xenevtchn_handle *handle, uint32_t port) {
  (void)handle;
  record("xenevtchn_unmask %u", port);
  act_on_unmask();
  return fails("xenevtchn_unmask") ? -1 : 0;
}
