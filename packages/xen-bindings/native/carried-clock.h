// The monotonic clock carried on by the processor's counter: a look at it costs a dom0 a system call, and a virtual
// processor of the guest stands still meanwhile.
#pragma once

#include <cstdint>
#include <ctime>

namespace xenpt {

/** Times are nanoseconds of CLOCK_MONOTONIC in a double, which is exact for 104 days, and to 2 ns for as long again. */
class CarriedClock {
 public:
  /** Asks the system. */
  double Look() {
    const uint64_t before = Ticks();
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t after = Ticks();
    const double ns = static_cast<double>(int64_t{now.tv_sec} * 1000000000 + now.tv_nsec);
    if (first_ticks_ == 0) {
      first_ticks_ = after;
      first_ns_ = ns;
    } else if (after > first_ticks_ && ns - first_ns_ >= kCalibrationNs) {
      ns_per_tick_ = (ns - first_ns_) / static_cast<double>(after - first_ticks_);
    }
    last_ticks_ = after;
    last_ns_ = ns;
    // Whoever lost the processor in between knows neither.
    is_known_ = static_cast<double>(after - before) * ns_per_tick_ < kLongestLookNs;
    return ns;
  }

  /** Without asking, if the last look was good and not long ago. */
  double Now() {
    if (ns_per_tick_ == 0 || !is_known_) return Look();
    // Far more than a minute if the counter was set back.
    const double since = static_cast<double>(Ticks() - last_ticks_) * ns_per_tick_;
    return since < kCarriedNs ? last_ns_ + since : Look();
  }

 private:
  static constexpr double kCalibrationNs = 1e9;
  static constexpr double kLongestLookNs = 100e3;
  static constexpr double kCarriedNs = 100e6;

  /** Elsewhere it stands still, and the system is asked each time. */
  static uint64_t Ticks() {
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
  }

  uint64_t first_ticks_ = 0;
  double first_ns_ = 0;
  double ns_per_tick_ = 0;
  uint64_t last_ticks_ = 0;
  double last_ns_ = 0;
  bool is_known_ = false;
};

}  // namespace xenpt
