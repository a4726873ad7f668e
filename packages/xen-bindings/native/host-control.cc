// HostControl: what Xen alone knows of the host, over a handle of libxenctrl of its own.
#include <cstring>
#include <vector>

#include "classes.h"
#include "ctrl.h"
#include "handle.h"

namespace xenpt {
namespace {

constexpr int kCommandLine = 9;  // XENVER_commandline, char[1024]
constexpr size_t kCommandLineSize = 1024;

class HostControl final : public HandleObject<HostControl, xc_interface_core> {
 public:
  explicit HostControl(const Napi::CallbackInfo& info) : HandleObject(info) {
    Adopt(ctrl::interface_open(info.Env(), logger_.pointer(), logger_.pointer(), 0), ctrl::interface_open.name());
  }

  static void Release(xc_interface_core* handle) { ctrl::interface_close.Find()(handle); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "HostControl",
                       {
                           InstanceMethod(ctrl::reserved_device_memory_map.name(), &HostControl::ReservedMemory),
                           InstanceMethod(ctrl::version.name(), &HostControl::CommandLine),
                           InstanceMethod("close", &HostControl::Close),
                       });
  }

 private:
  /** (flags, segment, bus, devfn, most): [start frame, frames, start frame, …], or the count that is needed */
  Napi::Value ReservedMemory(const Napi::CallbackInfo& info) {
    const uint32_t flags = Argument<uint32_t>(info, 0);
    const uint16_t segment = Argument<uint16_t>(info, 1);
    const uint8_t bus = Argument<uint8_t>(info, 2);
    const uint8_t devfn = Argument<uint8_t>(info, 3);
    const uint32_t most = Argument<uint16_t>(info, 4);
    std::vector<ctrl::ReservedDeviceMemory> entries(most);
    uint32_t count = most;
    const int result = Call(ctrl::reserved_device_memory_map, flags, segment, bus, devfn, entries.data(), &count);
    if (result < 0) {
      const int error_number = errno;
      if (count > most) return Napi::Number::New(info.Env(), count);
      throw Failure(ctrl::reserved_device_memory_map.name(), error_number);
    }
    if (count > most) count = most;
    Napi::BigUint64Array frames = Napi::BigUint64Array::New(info.Env(), size_t{2} * count);
    for (uint32_t index = 0; index < count; ++index) {
      frames[size_t{2} * index] = entries[index].start_pfn;
      frames[size_t{2} * index + 1] = entries[index].nr_pages;
    }
    return frames;
  }

  Napi::Value CommandLine(const Napi::CallbackInfo& info) {
    char text[kCommandLineSize + 1] = {};
    if (Call(ctrl::version, kCommandLine, static_cast<void*>(text)) < 0) throw Failure(ctrl::version.name(), errno);
    return Napi::String::New(info.Env(), text, strnlen(text, kCommandLineSize));
  }
};

}  // namespace

Napi::Function DefineHostControl(Napi::Env env) { return HostControl::Define(env); }

}  // namespace xenpt
