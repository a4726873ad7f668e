// The classes of the addon, one per file; module.cc exports them.
#pragma once

#include <napi.h>

namespace xenpt {

Napi::Function DefineEventChannels(Napi::Env env);
Napi::Function DefineForeignMemory(Napi::Env env);
Napi::Function DefineDeviceModel(Napi::Env env);
Napi::Function DefineControl(Napi::Env env);
Napi::Function DefineDirtyLogControl(Napi::Env env);
Napi::Function DefineHostControl(Napi::Env env);
Napi::Function DefineXenstore(Napi::Env env);
Napi::Function DefineIoreqPort(Napi::Env env);
Napi::Function DefineDeviceConfig(Napi::Env env);
Napi::Function DefineDeviceMemory(Napi::Env env);
Napi::Function DefineWakeEvent(Napi::Env env);
Napi::Function DefineDropProgramPages(Napi::Env env);
Napi::Function DefineTryFlock(Napi::Env env);
Napi::Function DefinePeerCredentials(Napi::Env env);

}  // namespace xenpt
