// The same by hand for AVX2 and BMI: Harley-Seal counting, a table row of eight positions per byte, empty blocks
// skipped 128 bytes at a time, edges of runs in vectors. No choice by density.
#include "peers.h"
#include <immintrin.h>

static uint32_t rows[256][8] __attribute__((aligned(32)));

__attribute__((constructor)) static void fill_rows(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t used = 0;
    for (uint32_t bit = 0; bit < 8; bit++)
      if (byte >> bit & 1) rows[byte][used++] = bit;
  }
}

static inline __m256i load(const uint64_t *words) { return _mm256_loadu_si256((const __m256i *)words); }

static inline int empty128(const uint64_t *words) {
  __m256i all = _mm256_or_si256(_mm256_or_si256(load(words), load(words + 4)),
                                _mm256_or_si256(load(words + 8), load(words + 12)));
  return _mm256_testz_si256(all, all);
}

/// Four sums of 64 bits: the bits of each quarter, by half bytes.
static inline __m256i ones_of(__m256i v) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(15);
  __m256i bytes = _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                                  _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
  return _mm256_sad_epu8(bytes, _mm256_setzero_si256());
}

static inline uint64_t sum_of(__m256i v) {
  return (uint64_t)_mm256_extract_epi64(v, 0) + (uint64_t)_mm256_extract_epi64(v, 1) +
         (uint64_t)_mm256_extract_epi64(v, 2) + (uint64_t)_mm256_extract_epi64(v, 3);
}

/// Carry-save adder: *low + a + b = 2 * result + *low.
static inline __m256i add3(__m256i *low, __m256i a, __m256i b) {
  __m256i either = _mm256_xor_si256(*low, a);
  __m256i high = _mm256_or_si256(_mm256_and_si256(*low, a), _mm256_and_si256(either, b));
  *low = _mm256_xor_si256(either, b);
  return high;
}

static uint64_t count_words(const uint64_t *words, size_t n) {
  __m256i total = _mm256_setzero_si256(), one = total, two = total, four = total, eight = total;
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const uint64_t *w = words + i;
    __m256i twoA = add3(&one, load(w), load(w + 4)), twoB = add3(&one, load(w + 8), load(w + 12));
    __m256i fourA = add3(&two, twoA, twoB);
    twoA = add3(&one, load(w + 16), load(w + 20)), twoB = add3(&one, load(w + 24), load(w + 28));
    __m256i fourB = add3(&two, twoA, twoB);
    __m256i eightA = add3(&four, fourA, fourB);
    twoA = add3(&one, load(w + 32), load(w + 36)), twoB = add3(&one, load(w + 40), load(w + 44));
    fourA = add3(&two, twoA, twoB);
    twoA = add3(&one, load(w + 48), load(w + 52)), twoB = add3(&one, load(w + 56), load(w + 60));
    fourB = add3(&two, twoA, twoB);
    __m256i sixteen = add3(&eight, eightA, add3(&four, fourA, fourB));
    total = _mm256_add_epi64(total, ones_of(sixteen));
  }
  uint64_t count = 16 * sum_of(total) + 8 * sum_of(ones_of(eight)) + 4 * sum_of(ones_of(four)) +
                   2 * sum_of(ones_of(two)) + sum_of(ones_of(one));
  for (; i < n; i++) count += (uint64_t)_mm_popcnt_u64(words[i]);
  return count;
}

uint64_t avx2_count(job *j) { return count_words(j->from, j->words); }

static inline size_t emit_word(uint32_t *output, size_t used, uint64_t word, uint32_t page) {
  if (word == ~0ull) {
    __m256i pages = _mm256_add_epi32(_mm256_set1_epi32((int)page), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    for (int k = 0; k < 8; k++) {
      _mm256_storeu_si256((__m256i *)(output + used + 8 * k), pages);
      pages = _mm256_add_epi32(pages, _mm256_set1_epi32(8));
    }
    return used + 64;
  }
  size_t count = (size_t)_mm_popcnt_u64(word);
  if (count <= 4) {
    for (int k = 0; k < 4; k++) {
      output[used + (size_t)k] = page + (uint32_t)_tzcnt_u64(word);
      word = _blsr_u64(word);
    }
    return used + count;
  }
  uint32_t *entry = output + used;
  for (int k = 0; k < 8; k++) {
    uint32_t byte = (uint32_t)(word >> (8 * k)) & 255;
    __m256i pages = _mm256_load_si256((const __m256i *)rows[byte]);
    _mm256_storeu_si256((__m256i *)entry, _mm256_add_epi32(pages, _mm256_set1_epi32((int)page + 8 * k)));
    entry += _mm_popcnt_u32(byte);
  }
  return used + count;
}

uint64_t avx2_extract(job *j) {
  uint64_t total = 0;
  size_t used = 0;
  for (size_t i = 0; i < j->words; i += 16) {
    if (empty128(j->from + i)) continue;
    if (used + 1024 > OUTPUT_ENTRIES) {
      consume(j, used);
      total += used;
      used = 0;
    }
    for (size_t k = i; k < i + 16; k++)
      if (j->from[k] != 0) used = emit_word(j->output, used, j->from[k], (uint32_t)(k * 64));
  }
  consume(j, used);
  return total + used;
}

/// (start, end) to (start, length), then the buffer is free but for an entry without its end.
static size_t flush_runs(job *j, size_t used) {
  size_t whole = used & ~(size_t)1, i = 0;
  for (; i + 8 <= whole; i += 8) {
    __m256i runs = _mm256_loadu_si256((const __m256i *)(j->output + i));
    _mm256_storeu_si256((__m256i *)(j->output + i), _mm256_sub_epi64(runs, _mm256_slli_epi64(runs, 32)));
  }
  for (; i < whole; i += 2) j->output[i + 1] -= j->output[i];
  uint32_t open = j->output[whole];
  consume(j, whole);
  j->output[0] = open;
  return used - whole;
}

uint64_t avx2_runs(job *j) {
  uint64_t total = 0, carry = 0;
  size_t used = 0;
  const uint64_t zero = 0;
  for (size_t i = 0; i < j->words; i += 4) {
    __m256i bits = load(j->from + i);
    __m256i before = i != 0 ? load(j->from + i - 1)
                            : _mm256_setr_epi64x((long long)zero, (long long)j->from[0], (long long)j->from[1],
                                                 (long long)j->from[2]);
    __m256i edges =
        _mm256_xor_si256(bits, _mm256_or_si256(_mm256_slli_epi64(bits, 1), _mm256_srli_epi64(before, 63)));
    if (_mm256_testz_si256(edges, edges)) continue;
    if (used + 257 > OUTPUT_ENTRIES) {
      size_t left = flush_runs(j, used);
      total += used - left;
      used = left;
    }
    uint64_t word[4];
    _mm256_storeu_si256((__m256i *)word, edges);
    for (size_t k = 0; k < 4; k++)
      if (word[k] != 0) used = emit_word(j->output, used, word[k], (uint32_t)((i + k) * 64));
  }
  carry = j->from[j->words - 1] >> 63;
  if (carry) j->output[used++] = (uint32_t)(j->words * 64);
  total += used;
  flush_runs(j, used);
  return total / 2;
}

uint64_t avx2_harvest(job *j) {
  __m256i total = _mm256_setzero_si256();
  for (size_t i = 0; i < j->words; i += 16) {
    if (empty128(j->from + i)) continue;
    for (size_t k = i; k < i + 16; k += 4) {
      __m256i word = load(j->from + k), known = load(j->into + k);
      total = _mm256_add_epi64(total, ones_of(_mm256_andnot_si256(known, word)));
      _mm256_storeu_si256((__m256i *)(j->into + k), _mm256_or_si256(known, word));
      _mm256_storeu_si256((__m256i *)(j->from + k), _mm256_setzero_si256());
    }
  }
  return sum_of(total);
}

uint64_t avx2_histogram(job *j) {
  size_t region = (size_t)1 << (j->region_log - 6), used = 0;
  uint64_t regions = 0;
  for (size_t first = 0; first < j->words; first += region) {
    size_t last = first + region < j->words ? first + region : j->words;
    uint64_t count;
    if (region >= 512) count = count_words(j->from + first, last - first);
    else {
      __m256i total = _mm256_setzero_si256();
      for (size_t i = first; i < last; i += 4) total = _mm256_add_epi64(total, ones_of(load(j->from + i)));
      count = sum_of(total);
    }
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
