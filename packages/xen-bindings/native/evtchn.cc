// EventChannels: one handle of libxenevtchn.
#include "evtchn.h"

#include <poll.h>

#include "classes.h"
#include "handle.h"

namespace xenpt {
namespace {

class EventChannels final : public HandleObject<EventChannels, xenevtchn_handle> {
 public:
  explicit EventChannels(const Napi::CallbackInfo& info) : HandleObject(info) {
    Adopt(evtchn::open(info.Env(), logger_.pointer(), 0), evtchn::open.name());
  }

  static void Release(xenevtchn_handle* handle) { evtchn::close.Find()(handle); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "EventChannels",
                       {
                           InstanceMethod("xenevtchn_bind_interdomain", &EventChannels::BindInterdomain),
                           InstanceMethod("xenevtchn_unbind", &EventChannels::Command<evtchn::unbind>),
                           InstanceMethod("xenevtchn_notify", &EventChannels::Command<evtchn::notify>),
                           InstanceMethod("xenevtchn_unmask", &EventChannels::Command<evtchn::unmask>),
                           InstanceMethod("xenevtchn_pending", &EventChannels::Pending),
                           InstanceMethod("xenevtchn_fd", &EventChannels::FileDescriptor),
                           InstanceMethod("close", &EventChannels::Close),
                       });
  }

 private:
  Napi::Value BindInterdomain(const Napi::CallbackInfo& info) {
    const uint32_t domid = Argument<uint32_t>(info, 0);
    const int port = Call(evtchn::bind_interdomain, domid, Argument<uint32_t>(info, 1));
    if (port < 0) throw Failure(evtchn::bind_interdomain.name(), errno);
    return Napi::Number::New(info.Env(), port);
  }

  /** The descriptor is a blocking one, so it is asked first whether anything is there. */
  Napi::Value Pending(const Napi::CallbackInfo& info) {
    pollfd descriptor = {Call(evtchn::fd), POLLIN, 0};
    if (poll(&descriptor, 1, 0) < 1) return info.Env().Null();
    const int port = Call(evtchn::pending);
    if (port < 0) throw Failure(evtchn::pending.name(), errno);
    return Napi::Number::New(info.Env(), port);
  }

  Napi::Value FileDescriptor(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), Call(evtchn::fd));
  }
};

}  // namespace

Napi::Function DefineEventChannels(Napi::Env env) { return EventChannels::Define(env); }

}  // namespace xenpt
