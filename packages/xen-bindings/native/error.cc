#include "error.h"

#include <string>

namespace xenpt {
namespace {

Napi::Error WithKind(Napi::Env env, const char* kind, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("kind", Napi::String::New(env, kind));
  return error;
}

}  // namespace

Napi::Error CallFailed(Napi::Env env, const char* call, int error_number, const char* detail) {
  Napi::Error error = WithKind(env, "call", std::string(call) + " failed");
  error.Set("call", Napi::String::New(env, call));
  error.Set("errno", Napi::Number::New(env, error_number));
  error.Set("detail", Napi::String::New(env, detail));
  return error;
}

Napi::Error LibraryNotLoaded(Napi::Env env, const char* library) {
  Napi::Error error = WithKind(env, "library", std::string(library) + " is not loaded");
  error.Set("library", Napi::String::New(env, library));
  return error;
}

Napi::Error SymbolMissing(Napi::Env env, const char* library, const char* symbol) {
  Napi::Error error = WithKind(env, "symbol", std::string(library) + " has no function " + symbol);
  error.Set("library", Napi::String::New(env, library));
  error.Set("symbol", Napi::String::New(env, symbol));
  return error;
}

Napi::Error Closed(Napi::Env env) { return WithKind(env, "closed", "the handle is closed"); }

Napi::Error IoreqRefused(Napi::Env env, const char* kind, uint32_t vcpu) {
  Napi::Error error = WithKind(env, kind, kind);
  error.Set("vcpu", Napi::Number::New(env, vcpu));
  return error;
}

}  // namespace xenpt
