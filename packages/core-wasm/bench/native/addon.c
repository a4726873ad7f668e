// The peers as functions of Node, over memory that JavaScript gives. Plain N-API, no build system: see build.mjs.
//   run(index, from, into, output, regionLog, checking) -> the operation's number;  hash() -> of the last checked run
//   now() -> milliseconds of processor time of this thread: what other programs take does not count
//   fill(words, density, clustered, seed): the test data
#include "peers.h"
#include <math.h>
#include <node_api.h>
#include <string.h>
#include <time.h>

#define PEER(name) uint64_t name(job *);
#include "list.h"
#undef PEER

static const struct { const char *name; peer run; } peers[] = {
#define PEER(name) {#name, name},
#include "list.h"
#undef PEER
};

static uint32_t last_hash;

/// Data and size of any typed array; those over shared memory too.
static void *bytes_of(napi_env env, napi_value value, size_t *size) {
  napi_typedarray_type type;
  size_t length = 0, offset;
  void *data = NULL;
  napi_value buffer;
  napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset);
  if (size) *size = length * (type == napi_uint8_array ? 1 : 4);
  return data;
}

static uint32_t u32_of(napi_env env, napi_value value) {
  uint32_t result = 0;
  napi_get_value_uint32(env, value, &result);
  return result;
}

static napi_value run(napi_env env, napi_callback_info info) {
  napi_value arguments[6], result;
  size_t count = 6, size;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  job j = {0};
  j.from = bytes_of(env, arguments[1], &size);
  j.into = bytes_of(env, arguments[2], NULL);
  j.words = size / 8;
  j.output = bytes_of(env, arguments[3], NULL);
  j.region_log = u32_of(env, arguments[4]);
  j.checking = (int)u32_of(env, arguments[5]);
  uint64_t answer = peers[u32_of(env, arguments[0])].run(&j);
  last_hash = j.hash;
  napi_create_double(env, (double)answer, &result);
  return result;
}

static napi_value hash(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_uint32(env, last_hash, &result);
  return result;
}

static napi_value now(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec time;
  napi_value result;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  napi_create_double(env, (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6, &result);
  return result;
}

static uint64_t next_random(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

static double next_unit(uint64_t *state) { return (double)((next_random(state) >> 11) + 1) * 0x1p-53; }

/// Distances are geometric: to the next dirty page, or from the end of one heap (64 pages on average) to the next.
static void fill_bits(uint64_t *words, size_t bits, double density, int clustered, uint64_t seed) {
  memset(words, density >= 1 ? 0xff : 0, bits / 8);
  if (density <= 0 || density >= 1) return;
  uint64_t state = seed;
  double heap = clustered ? log1p(-1.0 / 64) : 0;
  double start = clustered ? density / (64 * (1 - density)) : density, gap = log1p(-start);
  for (double bit = 0;;) {
    bit += floor(log(next_unit(&state)) / gap);
    if (bit >= (double)bits) return;
    size_t length = clustered ? 1 + (size_t)(log(next_unit(&state)) / heap) : 1;
    for (; length != 0 && bit < (double)bits; length--, bit++) words[(size_t)bit / 64] |= 1ull << ((size_t)bit % 64);
    if (clustered) bit++;
  }
}

static napi_value fill(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4, size;
  double density = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  uint64_t *words = bytes_of(env, arguments[0], &size);
  napi_get_value_double(env, arguments[1], &density);
  fill_bits(words, size * 8, density, (int)u32_of(env, arguments[2]), u32_of(env, arguments[3]));
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value list, value;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < sizeof peers / sizeof *peers; i++) {
    napi_create_string_utf8(env, peers[i].name, NAPI_AUTO_LENGTH, &value);
    napi_set_element(env, list, i, value);
  }
  napi_set_named_property(env, exports, "names", list);
  const struct { const char *name; napi_callback call; } functions[] = {
      {"run", run}, {"hash", hash}, {"fill", fill}, {"now", now}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &value);
    napi_set_named_property(env, exports, functions[i].name, value);
  }
  return exports;
}
