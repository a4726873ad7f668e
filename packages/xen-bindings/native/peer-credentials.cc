// SO_PEERCRED of socket(7), which Node does not tell.
#include <sys/socket.h>

#include <cerrno>

#include "arguments.h"
#include "classes.h"
#include "error.h"

namespace xenpt {
namespace {

/** (fd): {pid, uid, gid} of the process that connected the socket. */
Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(Argument<int32_t>(info, 0), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    throw CallFailed(info.Env(), "getsockopt", errno);
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("pid", peer.pid);
  result.Set("uid", peer.uid);
  result.Set("gid", peer.gid);
  return result;
}

}  // namespace

Napi::Function DefinePeerCredentials(Napi::Env env) {
  return Napi::Function::New<PeerCredentials>(env, "peerCredentials");
}

}  // namespace xenpt
