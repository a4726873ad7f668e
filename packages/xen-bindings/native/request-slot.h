// One ioreq_t in the page that we share with Xen (xen/include/public/hvm/ioreq.h; 32 bytes, little-endian).
//
//   0        8        16      20      24        28   30      31
//   | addr   | data   | count | size  | vp_eport | – | state | type |
//                                                     bits 0-3 state, 4 data_is_ptr, 5 dir (1: read), 6 df, 7 spare
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace xenpt {

/** A view of one slot. Xen reads and writes it at the same time, so every access here is a single, ordered one. */
class RequestSlot {
 public:
  static constexpr size_t kSize = 32;
  static constexpr size_t kDataOffset = 8;
  static constexpr size_t kEventPortOffset = 24;
  static constexpr size_t kStateOffset = 30;

  // STATE_IOREQ_READY, STATE_IOREQ_INPROCESS, STATE_IORESP_READY. Xen crashes the guest on any step backwards.
  static constexpr uint8_t kReady = 1;
  static constexpr uint8_t kInProcess = 2;
  static constexpr uint8_t kResponseReady = 3;

  static constexpr uint8_t kStateMask = 0x0f;
  static constexpr uint8_t kDataIsPointer = 0x10;
  static constexpr uint8_t kDirectionRead = 0x20;

  explicit RequestSlot(uint8_t* address) : address_(address) {}

  /** Acquire: what Xen wrote before it set the state is visible afterwards. */
  uint8_t State() const { return __atomic_load_n(address_ + kStateOffset, __ATOMIC_ACQUIRE) & kStateMask; }

  /** Release: what we wrote is visible to Xen before the state is. The flags in bits 4 to 7 stay. */
  void SetState(uint8_t state) {
    uint8_t* const byte = address_ + kStateOffset;
    uint8_t old = __atomic_load_n(byte, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(byte, &old, static_cast<uint8_t>((old & ~kStateMask) | state), false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
  }

  uint32_t EventPort() const {
    return __atomic_load_n(reinterpret_cast<uint32_t*>(address_ + kEventPortOffset), __ATOMIC_RELAXED);
  }

  void SetData(uint64_t data) {
    __atomic_store_n(reinterpret_cast<uint64_t*>(address_ + kDataOffset), data, __ATOMIC_RELAXED);
  }

  /** Reads every byte exactly once: nobody decides on one value and acts on another. */
  void Copy(uint8_t* destination) const {
    for (size_t offset = 0; offset < kSize; offset += sizeof(uint64_t)) {
      const uint64_t word = __atomic_load_n(reinterpret_cast<uint64_t*>(address_ + offset), __ATOMIC_RELAXED);
      std::memcpy(destination + offset, &word, sizeof word);
    }
  }

 private:
  uint8_t* const address_;
};

}  // namespace xenpt
