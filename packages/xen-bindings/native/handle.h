// What every class over one C handle shares.
#pragma once

#include <napi.h>

#include <cerrno>
#include <utility>

#include "arguments.h"
#include "error.h"
#include "library.h"
#include "logger.h"

namespace xenpt {

/**
 * A C handle as a JavaScript object: opened in the constructor of `Self`, closed once, by close(), by the end of
 * the thread or by the garbage collector, whichever comes first. `Self` has `static void Release(Handle*)`; it must
 * not throw.
 */
template <typename Self, typename Handle>
class HandleObject : public Napi::ObjectWrap<Self> {
 public:
  explicit HandleObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Self>(info), environment_(info.Env()) {}

  ~HandleObject() override { CloseHandle(); }

  void Close(const Napi::CallbackInfo&) { CloseHandle(); }

 protected:
  /** Takes what the C function `name` returned; null is its failure. */
  void Adopt(Handle* handle, const char* name) {
    if (handle == nullptr) throw CallFailed(environment_, name, errno, logger_.message());
    handle_ = handle;
    napi_add_env_cleanup_hook(environment_, OnThreadEnd, this);
  }

  Handle* Open() const {
    if (handle_ == nullptr) throw Closed(environment_);
    return handle_;
  }

  bool IsOpen() const { return handle_ != nullptr; }

  /** Calls a function whose first parameter is the handle. */
  template <typename Result, typename... Parameters, typename... Values>
  Result Call(const Function<Result(Handle*, Parameters...)>& function, Values... values) {
    Handle* const handle = Open();
    logger_.Clear();
    return function(environment_, handle, values...);
  }

  /**
   * The same for functions where 0 is success. A few of libxenctrl return -errno, or a positive count, on failure.
   */
  template <typename... Parameters, typename... Values>
  void Check(const Function<int(Handle*, Parameters...)>& function, Values... values) {
    const int result = Call(function, values...);
    if (result == 0) return;
    const int error_number = errno;
    throw Failure(function.name(), error_number == 0 && result < -1 ? -result : error_number);
  }

  /** The failure of `call`, with what libxen logged about it. Read errno before anything else. */
  Napi::Error Failure(const char* call, int error_number) const {
    return CallFailed(environment_, call, error_number, logger_.message());
  }

  /** A method that converts its arguments by the function's own signature and returns nothing. */
  template <auto& function>
  void Command(const Napi::CallbackInfo& info) {
    CommandWith(info, function);
  }

  Logger logger_;
  const Napi::Env environment_;

 private:
  template <typename... Parameters>
  void CommandWith(const Napi::CallbackInfo& info, const Function<int(Handle*, Parameters...)>& function) {
    CommandAt(info, function, std::index_sequence_for<Parameters...>{});
  }

  template <typename... Parameters, size_t... index>
  void CommandAt(const Napi::CallbackInfo& info, const Function<int(Handle*, Parameters...)>& function,
                 std::index_sequence<index...>) {
    Check(function, Argument<Parameters>(info, index)...);
  }

  static void OnThreadEnd(void* self) { static_cast<HandleObject*>(self)->CloseHandle(); }

  void CloseHandle() {
    Handle* const handle = std::exchange(handle_, nullptr);
    if (handle == nullptr) return;
    napi_remove_env_cleanup_hook(environment_, OnThreadEnd, this);
    Self::Release(handle);
  }

  Handle* handle_ = nullptr;
};

}  // namespace xenpt
