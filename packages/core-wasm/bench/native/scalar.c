// C as kernels and machine emulators have it: word loops, find the next bit, count the bits of a word. Compiled twice:
// for any x86-64 (NAME(x) = x_o2), where counting is arithmetic, and with -mpopcnt (x_popcnt), an instruction.
#include "peers.h"

static inline uint64_t ones(uint64_t word) { return (uint64_t)__builtin_popcountll(word); }

uint64_t NAME(count)(job *j) {
  uint64_t count = 0;
  for (size_t i = 0; i < j->words; i++) count += ones(j->from[i]);
  return count;
}

// The first bit at or behind `bit` of which the value is not that of `invert`; `bits` when there is none.
__attribute__((noinline)) static size_t find_next(const uint64_t *words, size_t bits, size_t bit, uint64_t invert) {
  if (bit >= bits) return bits;
  size_t index = bit / 64;
  uint64_t word = (words[index] ^ invert) & (~0ull << (bit % 64));
  while (word == 0) {
    index++;
    if (index * 64 >= bits) return bits;
    word = words[index] ^ invert;
  }
  size_t found = index * 64 + (size_t)__builtin_ctzll(word);
  return found < bits ? found : bits;
}

uint64_t NAME(extract_find)(job *j) {
  size_t bits = j->words * 64, used = 0;
  uint64_t total = 0;
  for (size_t bit = find_next(j->from, bits, 0, 0); bit < bits; bit = find_next(j->from, bits, bit + 1, 0)) {
    j->output[used++] = (uint32_t)bit;
    if (used == OUTPUT_ENTRIES) {
      consume(j, used);
      total += used;
      used = 0;
    }
  }
  consume(j, used);
  return total + used;
}

uint64_t NAME(extract_words)(job *j) {
  uint64_t total = 0;
  size_t used = 0;
  for (size_t i = 0; i < j->words; i++) {
    for (uint64_t word = j->from[i]; word != 0; word &= word - 1) {
      j->output[used++] = (uint32_t)(i * 64 + (size_t)__builtin_ctzll(word));
      if (used == OUTPUT_ENTRIES) {
        consume(j, used);
        total += used;
        used = 0;
      }
    }
  }
  consume(j, used);
  return total + used;
}

uint64_t NAME(runs_find)(job *j) {
  size_t bits = j->words * 64, used = 0;
  uint64_t total = 0;
  for (size_t start = find_next(j->from, bits, 0, 0); start < bits;) {
    size_t end = find_next(j->from, bits, start + 1, ~0ull);
    j->output[used++] = (uint32_t)start;
    j->output[used++] = (uint32_t)(end - start);
    if (used == OUTPUT_ENTRIES) {
      consume(j, used);
      total += used;
      used = 0;
    }
    start = find_next(j->from, bits, end + 1, 0);
  }
  consume(j, used);
  return (total + used) / 2;
}

uint64_t NAME(harvest)(job *j) {
  uint64_t fresh = 0;
  for (size_t i = 0; i < j->words; i++) {
    uint64_t word = j->from[i];
    if (word == 0) continue;
    j->from[i] = 0;
    fresh += ones(word & ~j->into[i]);
    j->into[i] |= word;
  }
  return fresh;
}

uint64_t NAME(harvest_atomic)(job *j) {
  uint64_t fresh = 0;
  for (size_t i = 0; i < j->words; i++) {
    if (j->from[i] == 0) continue;
    uint64_t word = __atomic_exchange_n(&j->from[i], 0, __ATOMIC_SEQ_CST);
    fresh += ones(word & ~j->into[i]);
    j->into[i] |= word;
  }
  return fresh;
}

uint64_t NAME(histogram)(job *j) {
  size_t region = (size_t)1 << (j->region_log - 6), used = 0;
  uint64_t regions = 0;
  for (size_t first = 0; first < j->words; first += region) {
    uint64_t count = 0;
    size_t last = first + region < j->words ? first + region : j->words;
    for (size_t i = first; i < last; i++) count += ones(j->from[i]);
    j->output[used++] = (uint32_t)count;
    regions++;
    if (used == OUTPUT_ENTRIES) {
      consume(j, used);
      used = 0;
    }
  }
  consume(j, used);
  return regions;
}
