// DeviceMemory: a device's memory through the file that the kernel has for it, one page at a time, one CPU access each.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <mutex>
#include <utility>

#include "arguments.h"
#include "classes.h"
#include "error.h"
#include "shared-value.h"

namespace xenpt {
namespace {

constexpr uint64_t kPageSize = 4096;
constexpr uint64_t kAllOnes = ~uint64_t{0};

// A device that is pulled out takes its mappings with it, and whoever touches one then is sent SIGBUS. The access ends
// with all ones instead, as it does on a bus where nobody answers.
thread_local sigjmp_buf after_fault;
thread_local volatile sig_atomic_t in_access = 0;
struct sigaction former_action;

void OnBusError(int signal_number, siginfo_t*, void*) {
  if (in_access != 0) siglongjmp(after_fault, 1);
  // Not ours: the instruction faults again and meets whoever had the signal before.
  sigaction(signal_number, &former_action, nullptr);
}

void CatchBusErrors() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = OnBusError;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGBUS, &action, &former_action);
  });
}

/** One load of exactly this width. */
uint64_t Load(const void* address, uint32_t size) {
  switch (size) {
    case 1:
      return *static_cast<const volatile uint8_t*>(address);
    case 2:
      return *static_cast<const volatile uint16_t*>(address);
    case 4:
      return *static_cast<const volatile uint32_t*>(address);
    default:
      return *static_cast<const volatile uint64_t*>(address);
  }
}

/** One store of exactly this width. */
void Store(void* address, uint32_t size, uint64_t value) {
  switch (size) {
    case 1:
      *static_cast<volatile uint8_t*>(address) = static_cast<uint8_t>(value);
      return;
    case 2:
      *static_cast<volatile uint16_t*>(address) = static_cast<uint16_t>(value);
      return;
    case 4:
      *static_cast<volatile uint32_t*>(address) = static_cast<uint32_t>(value);
      return;
    default:
      *static_cast<volatile uint64_t*>(address) = value;
  }
}

/** Values go through `value_`, eight bytes that JavaScript has as well. */
class DeviceMemory final : public Napi::ObjectWrap<DeviceMemory> {
 public:
  /** (path, eight bytes) */
  explicit DeviceMemory(const Napi::CallbackInfo& info) : ObjectWrap(info), value_(info, 1) {
    const std::string path = Argument<std::string>(info, 0);
    CatchBusErrors();
    fd_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd_ < 0) throw CallFailed(info.Env(), "open", errno, path.c_str());
    // A kernel that is locked down lets the file be opened, and refuses this.
    if (!MapPage(0)) {
      const int error_number = errno;
      CloseAll();
      throw CallFailed(info.Env(), "mmap", error_number, path.c_str());
    }
  }

  ~DeviceMemory() override { CloseAll(); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DeviceMemory",
                       {
                           InstanceMethod<&DeviceMemory::Read>("read"),
                           InstanceMethod<&DeviceMemory::Write>("write"),
                           InstanceMethod<&DeviceMemory::Close>("close"),
                       });
  }

 private:
  /** (offset, size): into the eight bytes */
  void Read(const Napi::CallbackInfo& info) {
    const uint32_t size = Argument<uint32_t>(info, 1);
    uint8_t* const address = Locate(info, size);
    uint64_t value = kAllOnes;
    if (address != nullptr) {
      if (sigsetjmp(after_fault, 0) == 0) {
        in_access = 1;
        const uint64_t loaded = Load(address, size);
        in_access = 0;
        value = loaded;
      } else {
        in_access = 0;
        value = kAllOnes;
      }
    }
    value_.Set(value);
  }

  /** (offset, size): out of the eight bytes */
  void Write(const Napi::CallbackInfo& info) {
    const uint32_t size = Argument<uint32_t>(info, 1);
    const uint64_t value = value_.Get();
    uint8_t* const address = Locate(info, size);
    if (address == nullptr) return;
    if (sigsetjmp(after_fault, 0) == 0) {
      in_access = 1;
      Store(address, size, value);
    }
    in_access = 0;
  }

  void Close(const Napi::CallbackInfo&) { CloseAll(); }

  /** Where an access of this size at the offset of argument 1 goes; null: outside, or across pages. */
  uint8_t* Locate(const Napi::CallbackInfo& info, uint32_t size) {
    if (fd_ < 0) throw Closed(info.Env());
    if (size != 1 && size != 2 && size != 4 && size != 8) {
      throw Napi::RangeError::New(info.Env(), "argument 2 must be 1, 2, 4 or 8");
    }
    const double number = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
    if (!(number >= 0 && number < 0x1p52) || std::trunc(number) != number) {
      throw Napi::RangeError::New(info.Env(), "argument 1 must be an integer from 0 to 2^52");
    }
    const uint64_t offset = static_cast<uint64_t>(number);
    const uint64_t in_page = offset % kPageSize;
    if (in_page + size > kPageSize || !MapPage(offset - in_page)) return nullptr;
    return page_ + in_page;
  }

  /** Keeps the page of the last access: a device that is touched is mostly touched there again. */
  bool MapPage(uint64_t start) {
    if (page_ != nullptr && page_start_ == start) return true;
    Unmap();
    void* const address =
        mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(start));
    if (address == MAP_FAILED) return false;
    page_ = static_cast<uint8_t*>(address);
    page_start_ = start;
    return true;
  }

  void Unmap() {
    uint8_t* const page = std::exchange(page_, nullptr);
    if (page != nullptr) munmap(page, kPageSize);
  }

  void CloseAll() {
    Unmap();
    const int descriptor = std::exchange(fd_, -1);
    if (descriptor >= 0) close(descriptor);
  }

  int fd_ = -1;
  uint8_t* page_ = nullptr;
  uint64_t page_start_ = 0;
  SharedValue<uint64_t> value_;
};

}  // namespace

Napi::Function DefineDeviceMemory(Napi::Env env) { return DeviceMemory::Define(env); }

}  // namespace xenpt
