// Errors as they cross into JavaScript: an Error with a `kind` and plain fields; src/errors.ts gives them class,
// code and sentence.
#pragma once

#include <napi.h>

namespace xenpt {

/** kind "call": a C function returned failure. `detail` is what libxen logged, or empty. */
Napi::Error CallFailed(Napi::Env env, const char* call, int error_number, const char* detail = "");

/** kind "library": the library was never loaded. kind "symbol": it is loaded and lacks the function. */
Napi::Error LibraryNotLoaded(Napi::Env env, const char* library);
Napi::Error SymbolMissing(Napi::Env env, const char* library, const char* symbol);

/** kind "closed": the handle was closed before this call. */
Napi::Error Closed(Napi::Env env);

/** A refusal of the request port: kind "ioreq-not-open" or "ioreq-not-enabled", with the vCPU it is about. */
Napi::Error IoreqRefused(Napi::Env env, const char* kind, uint32_t vcpu);

}  // namespace xenpt
