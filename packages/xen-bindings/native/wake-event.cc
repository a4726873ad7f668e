// WakeEvent: an event channel from this domain to itself. Whoever waits for events of a guest waits for it as well, in
// the same system call.
#include "classes.h"
#include "evtchn.h"
#include "handle.h"

namespace xenpt {
namespace {

class WakeEvent final : public HandleObject<WakeEvent, xenevtchn_handle> {
 public:
  explicit WakeEvent(const Napi::CallbackInfo& info) : HandleObject(info) {
    Adopt(evtchn::open(info.Env(), logger_.pointer(), 0), evtchn::open.name());
    const int port = Call(evtchn::bind_unbound_port, evtchn::kOwnDomain);
    if (port < 0) throw Failure(evtchn::bind_unbound_port.name(), errno);
    port_ = static_cast<uint32_t>(port);
  }

  /** The kernel gives the port back with the handle. */
  static void Release(xenevtchn_handle* handle) { evtchn::close.Find()(handle); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "WakeEvent",
                       {
                           InstanceMethod("wake", &WakeEvent::Wake),
                           InstanceMethod("port", &WakeEvent::Port),
                           InstanceMethod("close", &WakeEvent::Close),
                       });
  }

 private:
  void Wake(const Napi::CallbackInfo&) { Check(evtchn::notify, port_); }

  Napi::Value Port(const Napi::CallbackInfo& info) {
    Open();
    return Napi::Number::New(info.Env(), port_);
  }

  uint32_t port_ = 0;
};

}  // namespace

Napi::Function DefineWakeEvent(Napi::Env env) { return WakeEvent::Define(env); }

}  // namespace xenpt
