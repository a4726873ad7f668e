// What every peer of the bitmap benchmark gets and gives. Positions go, 64 Ki at a time, into one buffer that is used
// again and again, as the kernels under test do it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define OUTPUT_ENTRIES 65536u
#define OUTPUT_SLACK 64u

typedef struct {
  uint64_t *from;      // the bitmap
  uint64_t *into;      // harvest: the other bitmap
  size_t words;        // of 64 bits
  uint32_t *output;    // OUTPUT_ENTRIES + OUTPUT_SLACK
  uint32_t region_log; // histogram: pages of a region, logarithm, at least 9
  int checking;        // hash what is in the buffer before it is used again
  uint32_t hash;
} job;

typedef uint64_t (*peer)(job *);

/// The buffer is used again from its start.
static inline void consume(job *j, size_t entries) {
  if (!j->checking) return;
  uint32_t hash = j->hash;
  for (size_t i = 0; i < entries; i++) hash = hash * 31u + j->output[i];
  j->hash = hash;
}
