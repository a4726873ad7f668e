// How long requests are in our hands, in memory that another thread reads while this one works (src/ioreq-meter.ts has
// the layout, in words of 8 bytes):
//
//   | 0 open since, ns | 1 vCPU | 2 ns of all answers | 3 ns of the longest | 4..7 open request | 8..32 buckets |
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "carried-clock.h"
#include "request-slot.h"

namespace xenpt {

/** Of one request at a time: what is taken while another is open counts from there. */
class RequestMeter {
 public:
  static constexpr size_t kBuckets = 25;
  static constexpr size_t kWords = 8 + kBuckets;

  RequestMeter() = default;
  explicit RequestMeter(double* words) : words_(words) {}

  void Taken(uint32_t vcpu, const uint8_t* request) {
    if (words_ == nullptr) return;
    std::memcpy(words_ + kRequest, request, RequestSlot::kSize);
    words_[kVcpu] = vcpu;
    Store(kOpenSince, clock_.Now());
  }

  void Answered() {
    if (words_ == nullptr || words_[kOpenSince] == 0) return;
    const double elapsed = std::max(0.0, clock_.Look() - words_[kOpenSince]);
    Store(kOpenSince, 0);
    words_[kSum] += elapsed;
    words_[kLongest] = std::max(words_[kLongest], elapsed);
    words_[kFirstBucket + Bucket(static_cast<uint64_t>(elapsed))] += 1;
  }

 private:
  static constexpr size_t kOpenSince = 0;
  static constexpr size_t kVcpu = 1;
  static constexpr size_t kSum = 2;
  static constexpr size_t kLongest = 3;
  static constexpr size_t kRequest = 4;
  static constexpr size_t kFirstBucket = 8;

  /** The first n with elapsed <= 2^n microseconds. */
  static size_t Bucket(uint64_t elapsed_ns) {
    const uint64_t microseconds = (elapsed_ns + 999) / 1000;
    const size_t bucket = microseconds <= 1 ? 0 : 64 - __builtin_clzll(microseconds - 1);
    return std::min(bucket, kBuckets - 1);
  }

  /** Release: whoever sees it sees the request that was written before. */
  void Store(size_t word, double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    __atomic_store_n(reinterpret_cast<uint64_t*>(words_ + word), bits, __ATOMIC_RELEASE);
  }

  double* words_ = nullptr;
  CarriedClock clock_;
};

}  // namespace xenpt
