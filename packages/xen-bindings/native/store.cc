// Xenstore: one connection of libxenstore. Calls block; watches arrive on the event loop of the thread that opened
// it.
#include "store.h"

#include <cstdlib>
#include <memory>

#include "classes.h"
#include "handle.h"
#include "readable-poll.h"

namespace xenpt {
namespace {

// Events delivered before the loop may do something else; the descriptor stays readable while there are more.
constexpr int kEventsPerTurn = 256;

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
template <typename T>
using Allocated = std::unique_ptr<T, FreeMemory>;

class Xenstore final : public HandleObject<Xenstore, xs_handle> {
 public:
  explicit Xenstore(const Napi::CallbackInfo& info) : HandleObject(info) {
    Adopt(store::open(info.Env(), 0), store::open.name());
  }

  static void Release(xs_handle* handle) { store::close.Find()(handle); }

  static Napi::Function Define(Napi::Env env) {
    using namespace store;
    return DefineClass(env, "Xenstore",
                       {
                           InstanceMethod(read.name(), &Xenstore::Read),
                           InstanceMethod(write.name(), &Xenstore::Write),
                           InstanceMethod(mkdir.name(), &Xenstore::PathCommand<mkdir>),
                           InstanceMethod(rm.name(), &Xenstore::Remove),
                           InstanceMethod(directory.name(), &Xenstore::Directory),
                           InstanceMethod(get_permissions.name(), &Xenstore::GetPermissions),
                           InstanceMethod(set_permissions.name(), &Xenstore::SetPermissions),
                           InstanceMethod(transaction_start.name(), &Xenstore::TransactionStart),
                           InstanceMethod(transaction_end.name(), &Xenstore::TransactionEnd),
                           InstanceMethod(watch.name(), &Xenstore::WatchCommand<watch>),
                           InstanceMethod(unwatch.name(), &Xenstore::WatchCommand<unwatch>),
                           InstanceMethod("startListening", &Xenstore::StartListening),
                           InstanceMethod("stopListening", &Xenstore::StopListening),
                           InstanceMethod("close", &Xenstore::CloseConnection),
                       });
  }

 private:
  /** (transaction, path): the value, or null where there is no such node */
  Napi::Value Read(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const std::string path = Argument<std::string>(info, 1);
    unsigned size = 0;
    const Allocated<void> value(Call(store::read, transaction, path.c_str(), &size));
    if (value == nullptr) return NullIfAbsent(info.Env(), store::read.name());
    return Napi::String::New(info.Env(), static_cast<const char*>(value.get()), size);
  }

  /** (transaction, path): names of the children, or null where there is no such node */
  Napi::Value Directory(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const std::string path = Argument<std::string>(info, 1);
    unsigned count = 0;
    const Allocated<char*> names(Call(store::directory, transaction, path.c_str(), &count));
    if (names == nullptr) return NullIfAbsent(info.Env(), store::directory.name());
    Napi::Array result = Napi::Array::New(info.Env(), count);
    for (unsigned index = 0; index < count; ++index) {
      result.Set(index, Napi::String::New(info.Env(), names.get()[index]));
    }
    return result;
  }

  /** (transaction, path, value) */
  void Write(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const std::string path = Argument<std::string>(info, 1);
    const std::string value = Argument<std::string>(info, 2);
    Require(store::write.name(),
            Call(store::write, transaction, path.c_str(), static_cast<const void*>(value.data()),
                 static_cast<unsigned>(value.size())));
  }

  /** (transaction, path): false where there is no such node */
  Napi::Value Remove(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const std::string path = Argument<std::string>(info, 1);
    const bool removed = Call(store::rm, transaction, path.c_str());
    if (!removed && errno != ENOENT) throw Failure(store::rm.name(), errno);
    return Napi::Boolean::New(info.Env(), removed);
  }

  /** (transaction, path): [domid, bits, domid, bits, …], the owner first; null where there is no such node */
  Napi::Value GetPermissions(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const std::string path = Argument<std::string>(info, 1);
    unsigned count = 0;
    const Allocated<store::Permission> list(Call(store::get_permissions, transaction, path.c_str(), &count));
    if (list == nullptr) return NullIfAbsent(info.Env(), store::get_permissions.name());
    Napi::Array result = Napi::Array::New(info.Env(), 2 * count);
    for (unsigned index = 0; index < count; ++index) {
      result.Set(2 * index, Napi::Number::New(info.Env(), list.get()[index].domid));
      result.Set(2 * index + 1, Napi::Number::New(info.Env(), list.get()[index].bits));
    }
    return result;
  }

  /** (transaction, path, Uint32Array of the same form) */
  void SetPermissions(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const std::string path = Argument<std::string>(info, 1);
    if (!info[2].IsTypedArray() || info[2].As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
      throw Napi::TypeError::New(info.Env(), "argument 3 must be a Uint32Array");
    }
    const auto words = info[2].As<Napi::Uint32Array>();
    std::vector<store::Permission> list(words.ElementLength() / 2);
    for (size_t index = 0; index < list.size(); ++index) list[index] = {words[2 * index], words[2 * index + 1]};
    Require(store::set_permissions.name(), Call(store::set_permissions, transaction, path.c_str(), list.data(),
                                                static_cast<unsigned>(list.size())));
  }

  Napi::Value TransactionStart(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Call(store::transaction_start);
    if (transaction == 0) throw Failure(store::transaction_start.name(), errno);
    return Napi::Number::New(info.Env(), transaction);
  }

  /** (transaction, abort): false when it has to be done again */
  Napi::Value TransactionEnd(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const bool ended = Call(store::transaction_end, transaction, Argument<bool>(info, 1));
    if (!ended && errno != EAGAIN) throw Failure(store::transaction_end.name(), errno);
    return Napi::Boolean::New(info.Env(), ended);
  }

  /** (transaction, path) */
  template <auto& function>
  void PathCommand(const Napi::CallbackInfo& info) {
    const uint32_t transaction = Argument<uint32_t>(info, 0);
    const std::string path = Argument<std::string>(info, 1);
    Require(function.name(), Call(function, transaction, path.c_str()));
  }

  /** (path, token) */
  template <auto& function>
  void WatchCommand(const Napi::CallbackInfo& info) {
    const std::string path = Argument<std::string>(info, 0);
    const std::string token = Argument<std::string>(info, 1);
    Require(function.name(), Call(function, path.c_str(), token.c_str()));
  }

  /**
   * (callback(errno, path, token)): errno is 0 for an event; anything else ends the listening. Keeps the loop
   * alive.
   */
  void StartListening(const Napi::CallbackInfo& info) {
    if (poll_ != nullptr) return;
    const int descriptor = Call(store::fileno);
    if (descriptor < 0) throw Failure(store::fileno.name(), errno);
    callback_ = Napi::Persistent(info[0].As<Napi::Function>());
    poll_ = ReadablePoll::Start(info.Env(), descriptor, [this](int error_number) { OnReadable(error_number); },
                                [this] { poll_ = nullptr; });
    Ref();
  }

  void StopListening(const Napi::CallbackInfo&) { Stop(); }

  void CloseConnection(const Napi::CallbackInfo& info) {
    Stop();
    Close(info);
  }

  void Stop() {
    if (poll_ == nullptr) return;
    poll_->Stop();
    poll_ = nullptr;
    callback_.Reset();
    Unref();
  }

  void OnReadable(int error_number) {
    const Napi::HandleScope scope(environment_);
    [[maybe_unused]] const Napi::Object self = Value();  // the callback may close us, and the collector may be quick
    for (int turn = 0; error_number == 0 && turn < kEventsPerTurn; ++turn) {
      if (poll_ == nullptr || !IsOpen()) return;
      const Allocated<char*> event(Call(store::check_watch));
      if (event == nullptr) {
        error_number = errno == EAGAIN ? 0 : errno;
        if (error_number == 0) return;
      } else {
        Deliver(0, event.get()[0], event.get()[1]);
      }
    }
    if (error_number != 0 && poll_ != nullptr) Deliver(error_number, "", "");
  }

  void Deliver(int error_number, const char* path, const char* token) {
    const Napi::Env env = environment_;
    try {
      const Napi::Function callback = callback_.Value();
      callback.MakeCallback(Value(), {Napi::Number::New(env, error_number), Napi::String::New(env, path),
                                      Napi::String::New(env, token)});
    } catch (const Napi::Error& error) {
      // Nobody is above us on the event loop: the same as an exception in any other callback.
      napi_fatal_exception(env, error.Value());
    }
  }

  Napi::Value NullIfAbsent(Napi::Env env, const char* call) {
    if (errno != ENOENT) throw Failure(call, errno);
    return env.Null();
  }

  void Require(const char* call, bool succeeded) {
    if (!succeeded) throw Failure(call, errno);
  }

  ReadablePoll* poll_ = nullptr;
  Napi::FunctionReference callback_;
};

}  // namespace

Napi::Function DefineXenstore(Napi::Env env) { return Xenstore::Define(env); }

}  // namespace xenpt
