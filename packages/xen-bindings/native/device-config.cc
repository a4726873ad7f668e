// DeviceConfig: a function's configuration space through the file that the kernel has for it, a system call an access.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "arguments.h"
#include "classes.h"
#include "error.h"
#include "shared-value.h"

namespace xenpt {
namespace {

constexpr uint32_t kConfigBytes = 4096;  // PCI Express Base 5.0 §7.2: the largest configuration space

class DeviceConfig final : public Napi::ObjectWrap<DeviceConfig> {
 public:
  /** (path, four bytes) */
  explicit DeviceConfig(const Napi::CallbackInfo& info) : ObjectWrap(info), value_(info, 1) {
    const std::string path = Argument<std::string>(info, 0);
    fd_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd_ < 0) throw CallFailed(info.Env(), "open", errno, path.c_str());
  }

  ~DeviceConfig() override { CloseFile(); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DeviceConfig",
                       {
                           InstanceMethod<&DeviceConfig::Read>("read"),
                           InstanceMethod<&DeviceConfig::Write>("write"),
                           InstanceMethod<&DeviceConfig::Close>("close"),
                       });
  }

 private:
  /** (offset, width): into the four bytes; all ones of the width when it cannot be read */
  void Read(const Napi::CallbackInfo& info) {
    const uint32_t offset = Argument<uint32_t>(info, 0);
    const uint32_t width = Argument<uint32_t>(info, 1);
    uint32_t value = 0;
    if (!IsAccess(offset, width) || pread(fd_, &value, width, offset) != static_cast<ssize_t>(width)) {
      value = 0xffffffffu >> (width == 1 ? 24 : width == 2 ? 16 : 0);
    }
    value_.Set(value);
  }

  /** (offset, width): out of the four bytes */
  void Write(const Napi::CallbackInfo& info) {
    const uint32_t offset = Argument<uint32_t>(info, 0);
    const uint32_t width = Argument<uint32_t>(info, 1);
    if (fd_ < 0) throw Closed(info.Env());
    if (!IsAccess(offset, width)) {
      throw Napi::RangeError::New(info.Env(), "an access has 1, 2 or 4 bytes, is aligned and inside 4096 bytes");
    }
    const uint32_t value = value_.Get();
    const ssize_t written = pwrite(fd_, &value, width, offset);
    // One that is cut short has no errno of its own.
    if (written != static_cast<ssize_t>(width)) throw CallFailed(info.Env(), "pwrite", written < 0 ? errno : EIO);
  }

  static bool IsAccess(uint32_t offset, uint32_t width) {
    return (width == 1 || width == 2 || width == 4) && offset % width == 0 && offset < kConfigBytes;
  }

  void Close(const Napi::CallbackInfo&) { CloseFile(); }

  void CloseFile() {
    // First, so that a descriptor the system gives to somebody else is never used.
    const int descriptor = std::exchange(fd_, -1);
    if (descriptor >= 0) close(descriptor);
  }

  int fd_ = -1;
  SharedValue<uint32_t> value_;
};

}  // namespace

Napi::Function DefineDeviceConfig(Napi::Env env) { return DeviceConfig::Define(env); }

}  // namespace xenpt
