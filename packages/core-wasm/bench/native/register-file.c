// The merge of register-file.ts in C, over the same words and the same batches of accesses.
//   from: accesses of 8 numbers: offset, width, value, hardware -> result or changed bits, byte enables, hardware value
//   into: words of 8 numbers: shadow, virtual, shadow write, hardware write, rw1c, notify; region_log: size in bytes
#include "peers.h"

typedef struct { uint32_t offset, width, value, hardware, result, enables, given, free; } access;
typedef struct { uint32_t shadow, virtual, shadow_write, hardware_write, rw1c, notify, reset, free; } word;

static inline int is_inside(uint32_t offset, uint32_t width, uint32_t size) {
  if (width != 1 && width != 2 && width != 4) return 0;
  return (offset & (width - 1)) == 0 && offset < size;
}

static inline uint32_t ones_of(uint32_t width) { return width >= 4 ? ~0u : (1u << (width * 8)) - 1; }

static inline void read_one(access *a, const word *words, uint32_t size) {
  uint32_t ones = ones_of(a->width), shift = (a->offset & 3) * 8;
  if (!is_inside(a->offset, a->width, size)) { a->result = ones; return; }
  const word *w = &words[a->offset / 4];
  uint32_t virtual = w->virtual >> shift;
  a->result = (((w->shadow >> shift) & virtual) | (a->hardware & ~virtual)) & ones;
}

static inline void write_one(access *a, word *words, uint32_t size) {
  a->result = a->enables = a->given = 0;
  if (!is_inside(a->offset, a->width, size)) return;
  word *w = &words[a->offset / 4];
  uint32_t shift = (a->offset & 3) * 8, valid = ones_of(a->width) << shift, written = a->value << shift;
  uint32_t before = w->shadow, mask = w->shadow_write & valid, next = (before & ~mask) | (written & mask);
  w->shadow = next;
  uint32_t reaching = w->hardware_write & valid;
  if (reaching) {
    uint32_t kept = (a->hardware << shift) & ~w->rw1c & ~w->hardware_write;
    uint32_t bytes = (reaching & 0xffu ? 0xffu : 0) | (reaching & 0xff00u ? 0xff00u : 0) |
                     (reaching & 0xff0000u ? 0xff0000u : 0) | (reaching & 0xff000000u ? 0xff000000u : 0);
    a->enables = (bytes & 1) | ((bytes >> 7) & 2) | ((bytes >> 14) & 4) | ((bytes >> 21) & 8);
    a->given = (written & reaching) | (kept & bytes);
  }
  a->result = (before ^ next) & w->notify;
}

__attribute__((noinline)) static void read_called(access *a, const word *w, uint32_t size) { read_one(a, w, size); }
__attribute__((noinline)) static void write_called(access *a, word *w, uint32_t size) { write_one(a, w, size); }

#define PASS(name, one)                                                        \
  uint64_t name(job *j) {                                                      \
    access *all = (access *)j->from;                                           \
    size_t count = j->words * 8 / sizeof *all;                                 \
    for (size_t i = 0; i < count; i++) one(&all[i], (word *)j->into, j->region_log); \
    return count;                                                              \
  }
PASS(access_read_o2, read_one)
PASS(access_write_o2, write_one)
PASS(access_read_call_o2, read_called)
PASS(access_write_call_o2, write_called)
