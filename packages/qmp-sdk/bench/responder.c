// A QMP responder that costs as little as can be: reads in blocks, answers every complete object. It shows what a
// client costs; QEMU itself reads its input byte by byte and hides that.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char greeting[] =
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": \"responder\"}, "
    "\"capabilities\": [\"oob\"]}}\r\n";
static const char status[] = "{\"return\": {\"status\": \"prelaunch\", \"singlestep\": false, \"running\": false}";

struct connection {
  int fd, depth, in_string, length;
  char request[1024];
  char out[1 << 16];
  size_t out_length;
};

static void answer(struct connection *c) {
  c->request[c->length] = 0;
  const char *id = strstr(c->request, "\"id\":");
  const char *body = strstr(c->request, "qmp_capabilities") ? "{\"return\": {}" : status;
  char *out = c->out + c->out_length;
  int n = id ? sprintf(out, "%s, \"id\": %.*s}\r\n", body, (int)strcspn(id + 5, ",}"), id + 5)
             : sprintf(out, "%s}\r\n", body);
  c->out_length += (size_t)n;
  c->length = 0;
}

static void take(struct connection *c, char byte) {
  if (c->depth == 0 && byte != '{') return;
  if (c->length < (int)sizeof c->request - 1) c->request[c->length++] = byte;
  if (byte == '"') c->in_string = !c->in_string;
  if (c->in_string) return;
  if (byte == '{') c->depth++;
  if (byte == '}' && --c->depth == 0) answer(c);
}

static int flush(struct connection *c) {
  ssize_t n = c->out_length ? write(c->fd, c->out, c->out_length) : 0;
  int whole = n == (ssize_t)c->out_length;
  c->out_length = 0;
  return whole;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return 1;
  static struct connection c;
  for (;;) {
    memset(&c, 0, sizeof c);
    c.fd = accept(listener, 0, 0);
    if (c.fd < 0) return 1;
    char block[16384];
    ssize_t n = write(c.fd, greeting, sizeof greeting - 1);
    while (n > 0 && (n = read(c.fd, block, sizeof block)) > 0) {
      for (ssize_t i = 0; i < n; i++) {
        take(&c, block[i]);
        if (c.out_length > sizeof c.out - 256 && !flush(&c)) break;
      }
      if (!flush(&c)) break;
    }
    close(c.fd);
  }
}
