// flock(2), which Node has not.
#include <sys/file.h>

#include <cerrno>

#include "arguments.h"
#include "classes.h"
#include "error.h"

namespace xenpt {
namespace {

/** (fd): whether the exclusive lock of the open file is ours now; false if another open file has it. */
Napi::Value TryFlock(const Napi::CallbackInfo& info) {
  const int fd = Argument<int32_t>(info, 0);
  int result;
  do {
    result = flock(fd, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EWOULDBLOCK) throw CallFailed(info.Env(), "flock", errno);
  return Napi::Boolean::New(info.Env(), result == 0);
}

}  // namespace

Napi::Function DefineTryFlock(Napi::Env env) { return Napi::Function::New<TryFlock>(env, "tryFlock"); }

}  // namespace xenpt
