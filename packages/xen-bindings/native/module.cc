// The addon: `load(library, candidates)` and one class per library. It keeps no state per thread, so any thread may
// load it.
#include <napi.h>

#include <array>

#include "arguments.h"
#include "classes.h"
#include "ctrl.h"
#include "devicemodel.h"
#include "evtchn.h"
#include "foreignmemory.h"
#include "store.h"

namespace xenpt {
namespace {

Library* FindLibrary(const std::string& name) {
  const std::array<Library*, 5> libraries = {&evtchn::library, &foreignmemory::library, &devicemodel::library,
                                             &ctrl::library, &store::library};
  for (Library* library : libraries) {
    if (name == library->name()) return library;
  }
  return nullptr;
}

/** load(name, candidates): { soname, error }; exactly one of them is a string, the other null. */
Napi::Value Load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = Argument<std::string>(info, 0);
  Library* const library = FindLibrary(name);
  if (library == nullptr) throw Napi::RangeError::New(env, "no library is called " + name);
  if (!info[1].IsArray()) throw Napi::TypeError::New(env, "argument 2 must be an array of strings");

  const Napi::Array array = info[1].As<Napi::Array>();
  std::vector<std::string> candidates;
  for (uint32_t index = 0; index < array.Length(); ++index) {
    candidates.push_back(array.Get(index).ToString().Utf8Value());
  }
  std::string soname;
  std::string error;
  const bool loaded = library->Load(candidates, &soname, &error);
  Napi::Object result = Napi::Object::New(env);
  result.Set("soname", loaded ? Napi::String::New(env, soname) : env.Null());
  result.Set("error", loaded ? env.Null() : Napi::String::New(env, error));
  return result;
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("load", Napi::Function::New<Load>(env, "load"));
  exports.Set("EventChannels", DefineEventChannels(env));
  exports.Set("ForeignMemory", DefineForeignMemory(env));
  exports.Set("DeviceModel", DefineDeviceModel(env));
  exports.Set("Control", DefineControl(env));
  exports.Set("DirtyLogControl", DefineDirtyLogControl(env));
  exports.Set("HostControl", DefineHostControl(env));
  exports.Set("Xenstore", DefineXenstore(env));
  exports.Set("IoreqPort", DefineIoreqPort(env));
  exports.Set("DeviceConfig", DefineDeviceConfig(env));
  exports.Set("DeviceMemory", DefineDeviceMemory(env));
  exports.Set("WakeEvent", DefineWakeEvent(env));
  exports.Set("dropProgramPages", DefineDropProgramPages(env));
  exports.Set("tryFlock", DefineTryFlock(env));
  exports.Set("peerCredentials", DefinePeerCredentials(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(xen_bindings, Initialize)

}  // namespace xenpt
