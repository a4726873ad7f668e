// WakeEvent: an eventfd. Any thread may wake; the thread that waits has the descriptor in its poll.
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "classes.h"
#include "error.h"

namespace xenpt {
namespace {

class WakeEvent final : public Napi::ObjectWrap<WakeEvent> {
 public:
  explicit WakeEvent(const Napi::CallbackInfo& info) : ObjectWrap(info), fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw CallFailed(info.Env(), "eventfd", errno);
  }

  ~WakeEvent() override { CloseDescriptor(); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "WakeEvent",
                       {
                           InstanceMethod<&WakeEvent::Wake>("wake"),
                           InstanceMethod<&WakeEvent::Drain>("drain"),
                           InstanceMethod<&WakeEvent::FileDescriptor>("fd"),
                           InstanceMethod<&WakeEvent::Close>("close"),
                       });
  }

 private:
  int Open(Napi::Env env) const {
    if (fd_ < 0) throw Closed(env);
    return fd_;
  }

  void Wake(const Napi::CallbackInfo& info) {
    const uint64_t one = 1;
    const ssize_t written = write(Open(info.Env()), &one, sizeof one);
    // EAGAIN: the counter is full, so the sleeper is as awake as it can be.
    if (written < 0 && errno != EAGAIN) throw CallFailed(info.Env(), "write", errno);
  }

  void Drain(const Napi::CallbackInfo& info) {
    uint64_t count = 0;
    const ssize_t size = read(Open(info.Env()), &count, sizeof count);
    if (size < 0 && errno != EAGAIN) throw CallFailed(info.Env(), "read", errno);
  }

  Napi::Value FileDescriptor(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), Open(info.Env()));
  }

  void Close(const Napi::CallbackInfo&) { CloseDescriptor(); }

  void CloseDescriptor() {
    const int descriptor = std::exchange(fd_, -1);
    if (descriptor >= 0) close(descriptor);
  }

  int fd_;
};

}  // namespace

Napi::Function DefineWakeEvent(Napi::Env env) { return WakeEvent::Define(env); }

}  // namespace xenpt
