// IoreqPort: the page where Xen puts a guest's requests, and the event channels that announce them.
#include <poll.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <ctime>

#include "arguments.h"
#include "classes.h"
#include "error.h"
#include "evtchn.h"
#include "foreignmemory.h"
#include "logger.h"
#include "request-meter.h"
#include "request-slot.h"

namespace xenpt {
namespace {

constexpr uint32_t kVcpuCountMax = foreignmemory::kPageSize / RequestSlot::kSize;  // 128: the slots of one page
constexpr unsigned kResourceIoreqServer = 0;  // XENMEM_resource_ioreq_server
constexpr unsigned long kFrameIoreq = 1;      // frame 0 is the buffered page, 1 the synchronous one
constexpr uint32_t kNoPort = 0;               // Xen gives no port this number

// What JavaScript shares with us: the copy of a request, and the data of its answer. A number that is passed may be an
// allocation.
constexpr size_t kAnswerOffset = RequestSlot::kSize;
constexpr size_t kBufferSize = kAnswerOffset + sizeof(uint64_t);

// What next() returns when it is no vCPU.
constexpr int kTimedOut = -1;
constexpr int kWoken = -2;
constexpr int kChannelFailed = -3;
// Nothing that concerns anybody.
constexpr int kSpurious = -4;

int64_t MonotonicMilliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

class IoreqPort final : public Napi::ObjectWrap<IoreqPort> {
 public:
  /** (domid, server id, vCPU count, port of a WakeEvent or 0, words of the meter or undefined) */
  explicit IoreqPort(const Napi::CallbackInfo& info) : ObjectWrap(info), environment_(info.Env()) {
    napi_add_env_cleanup_hook(environment_, OnThreadEnd, this);
    hooked_ = true;
    try {
      OpenAll(info);
    } catch (...) {
      CloseAll();
      throw;
    }
  }

  ~IoreqPort() override { CloseAll(); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "IoreqPort",
                       {
                           InstanceMethod<&IoreqPort::Next>("next"),
                           InstanceMethod<&IoreqPort::Complete>("complete"),
                           InstanceMethod<&IoreqPort::Buffer>("buffer"),
                           InstanceMethod<&IoreqPort::Resumed>("resumed"),
                           InstanceMethod<&IoreqPort::Close>("close"),
                       });
  }

 private:
  struct Vcpu {
    uint32_t local_port = kNoPort;
    uint8_t flags = 0;      // of the open request, from our copy
    bool open = false;      // taken by next(), not yet completed
    bool inherited = false; // was waiting before we came; next() returns it without an event
  };

  void OpenAll(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const uint16_t domid = Argument<uint16_t>(info, 0);
    const uint16_t server = Argument<uint16_t>(info, 1);
    vcpu_count_ = Argument<uint32_t>(info, 2);
    if (vcpu_count_ < 1 || vcpu_count_ > kVcpuCountMax) {
      throw Napi::RangeError::New(env, "one page holds the requests of 1 to 128 vCPUs");
    }
    const uint32_t wake = Argument<uint32_t>(info, 3);
    MapPage(env, domid, server);
    events_ = evtchn::open(env, logger_.pointer(), 0);
    if (events_ == nullptr) throw Failed(evtchn::open.name());
    event_fd_ = evtchn::fd(env, events_);
    for (uint32_t index = 0; index < vcpu_count_; ++index) BindVcpu(env, domid, index);
    // Whoever was to wake us before now has done so: Xen raises an event with the binding.
    if (wake != kNoPort) wake_port_ = Bind(env, evtchn::kOwnDomain, wake);
    // After binding: what arrives from now on raises an event. What is there already may have lost its own, because
    // the server that took it was killed; Xen keeps the request and the vCPU stands still until somebody answers.
    for (uint32_t index = 0; index < vcpu_count_; ++index) {
      const uint8_t state = Slot(index).State();
      vcpus_[index].inherited = state == RequestSlot::kReady || state == RequestSlot::kInProcess;
    }
    buffer_ = Napi::Persistent(Napi::ArrayBuffer::New(env, kBufferSize));
    if (!info[4].IsUndefined()) OpenMeter(env, info[4]);
  }

  void OpenMeter(Napi::Env env, const Napi::Value& value) {
    napi_typedarray_type type = napi_int8_array;
    size_t length = 0;
    void* words = nullptr;
    const bool is_array = value.IsTypedArray() && napi_get_typedarray_info(env, value, &type, &length, &words, nullptr,
                                                                          nullptr) == napi_ok;
    if (!is_array || type != napi_float64_array || length != RequestMeter::kWords) {
      throw Napi::TypeError::New(env, "argument 5 must be the words of a meter");
    }
    meter_words_ = Napi::Persistent(value.As<Napi::Object>());
    meter_ = RequestMeter(static_cast<double*>(words));
  }

  void MapPage(Napi::Env env, uint16_t domid, uint16_t server) {
    memory_ = foreignmemory::open(env, logger_.pointer(), 0);
    if (memory_ == nullptr) throw Failed(foreignmemory::open.name());
    void* address = nullptr;
    resource_ = foreignmemory::map_resource(env, memory_, domid, kResourceIoreqServer, server, kFrameIoreq, 1ul,
                                            &address, PROT_READ | PROT_WRITE, 0);
    if (resource_ == nullptr) throw Failed(foreignmemory::map_resource.name());
    page_ = static_cast<uint8_t*>(address);
  }

  void BindVcpu(Napi::Env env, uint16_t domid, uint32_t index) {
    const uint32_t remote_port = Slot(index).EventPort();
    if (remote_port == kNoPort) throw IoreqRefused(env, "ioreq-not-enabled", index);
    vcpus_[index].local_port = Bind(env, domid, remote_port);
  }

  uint32_t Bind(Napi::Env env, uint32_t domid, uint32_t remote_port) {
    logger_.Clear();
    const int local_port = evtchn::bind_interdomain(env, events_, domid, remote_port);
    if (local_port < 0) throw Failed(evtchn::bind_interdomain.name());
    return static_cast<uint32_t>(local_port);
  }

  /** (timeout in milliseconds, -1 for none): the vCPU, or one of the negative results above */
  Napi::Value Next(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RequireOpen(env);
    const int timeout = Argument<int>(info, 0);
    return Napi::Number::New(env, Wait(env, timeout));
  }

  int Wait(Napi::Env env, int timeout_ms) {
    for (uint32_t index = 0; index < vcpu_count_; ++index) {
      if (!vcpus_[index].inherited) continue;
      vcpus_[index].inherited = false;
      resumed_ = Slot(index).State() == RequestSlot::kInProcess;
      if (resumed_ || Slot(index).State() == RequestSlot::kReady) return Take(env, index);
    }
    resumed_ = false;
    int64_t deadline = -1;
    for (int remaining = timeout_ms;; remaining = Remaining(timeout_ms, &deadline)) {
      const int index = NextEvent(env, remaining);
      if (index >= 0) {
        const bool is_new = !vcpus_[index].open && Slot(index).State() == RequestSlot::kReady;
        if (is_new) return Take(env, static_cast<uint32_t>(index));
      } else if (index != kSpurious) {
        return index;
      }
    }
  }

  /** A vCPU with an event, kSpurious, or one of the negative results of next(). Waits so long, or without end. */
  int NextEvent(Napi::Env env, int timeout_ms) {
    // Reading waits by itself: a processor stands still meanwhile, and in a dom0 a system call costs it dearly.
    if (timeout_ms >= 0) {
      pollfd descriptor = {event_fd_, POLLIN, 0};
      const int ready = poll(&descriptor, 1, timeout_ms);
      if (ready < 0 && errno != EINTR) throw CallFailed(env, "poll", errno);
      if (ready < 0) return kSpurious;
      if (ready == 0) return kTimedOut;
      if ((descriptor.revents & ~POLLIN) != 0) return kChannelFailed;
    }
    const int port = evtchn::pending(env, events_);
    if (port < 0) return errno == EAGAIN || errno == EINTR ? kSpurious : kChannelFailed;
    // Unmask before the slot is looked at: a request that comes in between then raises the event again. The other
    // way round, it would be seen by nobody.
    if (evtchn::unmask(env, events_, static_cast<uint32_t>(port)) != 0) return kChannelFailed;
    if (static_cast<uint32_t>(port) == wake_port_) return kWoken;
    for (uint32_t index = 0; index < vcpu_count_; ++index) {
      if (vcpus_[index].local_port == static_cast<uint32_t>(port)) return static_cast<int>(index);
    }
    return kSpurious;
  }

  /**
   * What is left after a wait in vain. The clock is not asked before the first of them, because in a dom0 that costs
   * as much as the wait itself; so one that is disturbed lasts up to twice as long.
   */
  static int Remaining(int timeout_ms, int64_t* deadline) {
    if (timeout_ms <= 0) return timeout_ms;
    const int64_t now = MonotonicMilliseconds();
    if (*deadline < 0) *deadline = now + timeout_ms;
    return static_cast<int>(std::max<int64_t>(0, *deadline - now));
  }

  /** Makes the request ours: state, one copy, and what complete() will need of it. */
  int Take(Napi::Env env, uint32_t index) {
    uint8_t* const copy = SharedBytes(env);
    RequestSlot slot = Slot(index);
    slot.SetState(RequestSlot::kInProcess);
    slot.Copy(copy);
    vcpus_[index].flags = copy[RequestSlot::kStateOffset];
    vcpus_[index].open = true;
    meter_.Taken(index, copy);
    return static_cast<int>(index);
  }

  uint8_t* SharedBytes(Napi::Env env) const {
    Napi::ArrayBuffer buffer = buffer_.Value();
    if (buffer.ByteLength() == kBufferSize) return static_cast<uint8_t*>(buffer.Data());
    throw Napi::TypeError::New(env, "the buffer of `request` was transferred away; it must stay with its port");
  }

  /** (vCPU): the answer is in the buffer */
  void Complete(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RequireOpen(env);
    const uint32_t index = Argument<uint32_t>(info, 0);
    if (index >= vcpu_count_ || !vcpus_[index].open) throw IoreqRefused(env, "ioreq-not-open", index);

    Vcpu& vcpu = vcpus_[index];
    RequestSlot slot = Slot(index);
    const bool is_read = (vcpu.flags & RequestSlot::kDirectionRead) != 0;
    const bool is_value = (vcpu.flags & RequestSlot::kDataIsPointer) == 0;
    if (is_read && is_value) {
      uint64_t data;
      std::memcpy(&data, SharedBytes(env) + kAnswerOffset, sizeof data);
      slot.SetData(data);
    }
    slot.SetState(RequestSlot::kResponseReady);
    vcpu.open = false;
    logger_.Clear();
    const int failed = evtchn::notify(env, events_, vcpu.local_port);
    const int error = errno;
    // The vCPU runs by now: what it costs to measure is not its time.
    meter_.Answered();
    errno = error;
    if (failed != 0) throw Failed(evtchn::notify.name());
  }

  Napi::Value Buffer(const Napi::CallbackInfo& info) {
    RequireOpen(info.Env());
    return buffer_.Value();
  }

  Napi::Value Resumed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), resumed_); }

  void Close(const Napi::CallbackInfo&) { CloseAll(); }

  static void OnThreadEnd(void* self) { static_cast<IoreqPort*>(self)->CloseAll(); }

  /** Slots are left as they are: Xen and the vCPU keep waiting for whoever opens the server's port next. */
  void CloseAll() {
    if (std::exchange(hooked_, false)) napi_remove_env_cleanup_hook(environment_, OnThreadEnd, this);
    if (events_ != nullptr) {
      for (const Vcpu& vcpu : vcpus_) {
        if (vcpu.local_port != kNoPort) evtchn::unbind.Find()(events_, vcpu.local_port);
      }
      if (wake_port_ != kNoPort) evtchn::unbind.Find()(events_, wake_port_);
      evtchn::close.Find()(std::exchange(events_, nullptr));
    }
    if (resource_ != nullptr) foreignmemory::unmap_resource.Find()(memory_, std::exchange(resource_, nullptr));
    page_ = nullptr;
    if (memory_ != nullptr) foreignmemory::close.Find()(std::exchange(memory_, nullptr));
  }

  void RequireOpen(Napi::Env env) const {
    if (page_ == nullptr) throw Closed(env);
  }

  Napi::Error Failed(const char* call) const { return CallFailed(environment_, call, errno, logger_.message()); }

  RequestSlot Slot(uint32_t index) const { return RequestSlot(page_ + index * RequestSlot::kSize); }

  const Napi::Env environment_;
  Logger logger_;
  bool hooked_ = false;
  bool resumed_ = false;
  uint32_t vcpu_count_ = 0;
  uint32_t wake_port_ = kNoPort;
  int event_fd_ = -1;
  xenforeignmemory_handle* memory_ = nullptr;
  xenforeignmemory_resource_handle* resource_ = nullptr;
  uint8_t* page_ = nullptr;
  xenevtchn_handle* events_ = nullptr;
  std::array<Vcpu, kVcpuCountMax> vcpus_{};
  Napi::Reference<Napi::ArrayBuffer> buffer_;
  RequestMeter meter_;
  /** Keeps the memory of `meter_`. */
  Napi::ObjectReference meter_words_;
};

}  // namespace

Napi::Function DefineIoreqPort(Napi::Env env) { return IoreqPort::Define(env); }

}  // namespace xenpt
