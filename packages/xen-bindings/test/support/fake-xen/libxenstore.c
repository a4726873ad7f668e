/* libxenstore.so.4: one small store per connection. A transaction works on a copy, which replaces the store at
 * its end. */
#include "fake.h"

enum { NODE_MAX = 64, WATCH_MAX = 16, EVENT_MAX = 256 };

struct xs_permissions {
  unsigned id;
  unsigned perms;
};

typedef struct {
  char path[128];
  char value[256];
  unsigned size;
  struct xs_permissions permissions[4];
  unsigned permission_count;
} node;

typedef struct {
  node nodes[NODE_MAX];
  unsigned count;
} tree;

struct xs_handle {
  tree committed;
  tree working; /* of the one open transaction */
  struct {
    char path[128];
    char token[32];
  } watches[WATCH_MAX], events[EVENT_MAX];
  unsigned watch_count, event_count;
  int pipe[2];
};

static bool is_below(const char *path, const char *parent) {
  size_t size = strlen(parent);
  return strncmp(path, parent, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

static tree *tree_of(struct xs_handle *h, uint32_t transaction) {
  return transaction == 0 ? &h->committed : &h->working;
}

static node *find(tree *t, const char *path) {
  for (unsigned index = 0; index < t->count; index++)
    if (strcmp(t->nodes[index].path, path) == 0) return &t->nodes[index];
  errno = ENOENT;
  return NULL;
}

static node *find_or_create(tree *t, const char *path) {
  node *found = find(t, path);
  if (found != NULL) return found;
  if (t->count == NODE_MAX) abort();
  found = &t->nodes[t->count++];
  memset(found, 0, sizeof *found);
  snprintf(found->path, sizeof found->path, "%s", path);
  return found;
}

static void raise_event(struct xs_handle *h, const char *path, const char *token) {
  if (h->event_count == EVENT_MAX) abort();
  snprintf(h->events[h->event_count].path, sizeof h->events[0].path, "%s", path);
  snprintf(h->events[h->event_count++].token, sizeof h->events[0].token, "%s", token);
  if (h->event_count == 1 && h->pipe[1] >= 0 && write(h->pipe[1], "", 1) != 1) abort();
}

static void changed(struct xs_handle *h, uint32_t transaction, const char *path) {
  if (transaction != 0) return;
  for (unsigned index = 0; index < h->watch_count; index++)
    if (is_below(path, h->watches[index].path)) raise_event(h, path, h->watches[index].token);
}

struct xs_handle *xs_open(unsigned long flags) {
  record("xs_open %lu", flags);
  if (fails("xs_open")) return NULL;
  struct xs_handle *h = calloc(1, sizeof *h);
  h->pipe[0] = h->pipe[1] = -1;
  return h;
}

void xs_close(struct xs_handle *h) {
  record("xs_close");
  if (h->pipe[0] >= 0) close(h->pipe[0]), close(h->pipe[1]);
  free(h);
}

void *xs_read(struct xs_handle *h, uint32_t transaction, const char *path, unsigned *size) {
  if (fails("xs_read")) return NULL;
  node *found = find(tree_of(h, transaction), path);
  if (found == NULL) return NULL;
  *size = found->size;
  char *value = malloc(found->size + 1);
  memcpy(value, found->value, found->size);
  value[found->size] = '\0';
  return value;
}

bool xs_write(struct xs_handle *h, uint32_t transaction, const char *path, const void *data, unsigned size) {
  record("xs_write %u %s %u", transaction != 0, path, size);
  if (fails("xs_write")) return false;
  node *found = find_or_create(tree_of(h, transaction), path);
  if (size > sizeof found->value) abort();
  memcpy(found->value, data, size);
  found->size = size;
  changed(h, transaction, path);
  return true;
}

bool xs_mkdir(struct xs_handle *h, uint32_t transaction, const char *path) {
  if (fails("xs_mkdir")) return false;
  find_or_create(tree_of(h, transaction), path);
  changed(h, transaction, path);
  return true;
}

bool xs_rm(struct xs_handle *h, uint32_t transaction, const char *path) {
  if (fails("xs_rm")) return false;
  tree *t = tree_of(h, transaction);
  if (find(t, path) == NULL) return false;
  unsigned kept = 0;
  for (unsigned index = 0; index < t->count; index++)
    if (!is_below(t->nodes[index].path, path)) t->nodes[kept++] = t->nodes[index];
  t->count = kept;
  changed(h, transaction, path);
  return true;
}

char **xs_directory(struct xs_handle *h, uint32_t transaction, const char *path, unsigned *count) {
  if (fails("xs_directory")) return NULL;
  tree *t = tree_of(h, transaction);
  if (find(t, path) == NULL) return NULL;
  char **names = malloc(NODE_MAX * (sizeof(char *) + 128));
  char *text = (char *)(names + NODE_MAX);
  *count = 0;
  for (unsigned index = 0; index < t->count; index++) {
    const char *candidate = t->nodes[index].path;
    size_t size = strlen(path);
    if (!is_below(candidate, path) || candidate[size] == '\0' || strchr(candidate + size + 1, '/')) continue;
    names[(*count)++] = strcpy(text, candidate + size + 1);
    text += strlen(text) + 1;
  }
  return names;
}

struct xs_permissions *xs_get_permissions(struct xs_handle *h, uint32_t transaction, const char *path,
                                          unsigned *count) {
  node *found = find(tree_of(h, transaction), path);
  if (found == NULL) return NULL;
  *count = found->permission_count;
  struct xs_permissions *copy = malloc(sizeof found->permissions);
  memcpy(copy, found->permissions, sizeof found->permissions);
  return copy;
}

bool xs_set_permissions(struct xs_handle *h, uint32_t transaction, const char *path,
                        struct xs_permissions *permissions, unsigned count) {
  node *found = find(tree_of(h, transaction), path);
  if (found == NULL || count > 4) return false;
  memcpy(found->permissions, permissions, count * sizeof *permissions);
  found->permission_count = count;
  return true;
}

uint32_t xs_transaction_start(struct xs_handle *h) {
  record("xs_transaction_start");
  if (fails("xs_transaction_start")) return 0;
  h->working = h->committed;
  return 0xfffffffeu;
}

bool xs_transaction_end(struct xs_handle *h, uint32_t transaction, bool abort_it) {
  record("xs_transaction_end %u %d", transaction, abort_it);
  if (fails("xs_transaction_end")) return false;
  if (!abort_it) h->committed = h->working;
  return true;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token) {
  record("xs_watch %s", path);
  if (fails("xs_watch")) return false;
  if (h->watch_count == WATCH_MAX) abort();
  snprintf(h->watches[h->watch_count].path, sizeof h->watches[0].path, "%s", path);
  snprintf(h->watches[h->watch_count++].token, sizeof h->watches[0].token, "%s", token);
  raise_event(h, path, token);
  return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token) {
  record("xs_unwatch %s", path);
  for (unsigned index = 0; index < h->watch_count; index++) {
    if (strcmp(h->watches[index].path, path) != 0 || strcmp(h->watches[index].token, token) != 0) continue;
    h->watches[index] = h->watches[--h->watch_count];
    return true;
  }
  errno = ENOENT;
  return false;
}

int xs_fileno(struct xs_handle *h) {
  if (h->pipe[0] < 0) {
    if (pipe2(h->pipe, O_CLOEXEC) != 0) abort();
    if (h->event_count > 0 && write(h->pipe[1], "", 1) != 1) abort();
  }
  return h->pipe[0];
}

char **xs_check_watch(struct xs_handle *h) {
  if (fails("xs_check_watch")) return NULL;
  if (h->event_count == 0) {
    errno = EAGAIN;
    return NULL;
  }
  char **event = malloc(2 * sizeof(char *) + sizeof h->events[0]);
  event[0] = strcpy((char *)(event + 2), h->events[0].path);
  event[1] = strcpy(event[0] + sizeof h->events[0].path, h->events[0].token);
  memmove(&h->events[0], &h->events[1], --h->event_count * sizeof h->events[0]);
  char byte;
  if (h->event_count == 0 && h->pipe[0] >= 0 && read(h->pipe[0], &byte, 1) != 1) abort();
  return event;
}
