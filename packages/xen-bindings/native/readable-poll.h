// A file descriptor on a thread's event loop, safe at the end of that thread.
#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>
#include <utility>

namespace xenpt {

/**
 * Calls `on_readable(errno)` while the descriptor is readable (level-triggered), until Stop() or the thread's end;
 * then frees itself. The thread's end waits for libuv to let go of the handle: without the asynchronous clean-up
 * hook its close callback would come after the addon's environment is gone. `on_thread_end` tells the owner to
 * forget the pointer.
 */
class ReadablePoll {
 public:
  static ReadablePoll* Start(Napi::Env env, int descriptor, std::function<void(int)> on_readable,
                             std::function<void()> on_thread_end) {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "this thread has no event loop");
    auto* const self = new ReadablePoll(std::move(on_readable), std::move(on_thread_end));
    const int result = uv_poll_init(loop, &self->poll_, descriptor);
    if (result != 0) {
      delete self;
      throw Napi::Error::New(env, std::string("uv_poll_init: ") + uv_strerror(result));
    }
    self->poll_.data = self;
    napi_add_async_cleanup_hook(env, OnThreadEnd, self, &self->hook_);
    uv_poll_start(&self->poll_, UV_READABLE, OnReadable);
    return self;
  }

  /** No callback comes after this; the object frees itself. */
  void Stop() {
    if (std::exchange(stopping_, true)) return;
    uv_poll_stop(&poll_);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), OnClosed);
  }

 private:
  ReadablePoll(std::function<void(int)> on_readable, std::function<void()> on_thread_end)
      : on_readable_(std::move(on_readable)), on_thread_end_(std::move(on_thread_end)) {}

  static void OnReadable(uv_poll_t* poll, int status, int) {
    auto* const self = static_cast<ReadablePoll*>(poll->data);
    self->on_readable_(status < 0 ? -status : 0);
  }

  static void OnClosed(uv_handle_t* handle) {
    auto* const self = static_cast<ReadablePoll*>(handle->data);
    napi_remove_async_cleanup_hook(self->hook_);
    delete self;
  }

  static void OnThreadEnd(napi_async_cleanup_hook_handle, void* data) {
    auto* const self = static_cast<ReadablePoll*>(data);
    if (!self->stopping_) self->on_thread_end_();
    self->Stop();
  }

  uv_poll_t poll_{};
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool stopping_ = false;
  const std::function<void(int)> on_readable_;
  const std::function<void()> on_thread_end_;
};

}  // namespace xenpt
