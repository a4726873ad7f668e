#include "library.h"

#include <dlfcn.h>

namespace xenpt {

bool Library::Load(const std::vector<std::string>& candidates, std::string* soname, std::string* error) {
  const std::lock_guard<std::mutex> guard(mutex_);
  for (const std::string& candidate : candidates) {
    if (handle() != nullptr) break;
    void* const opened = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened != nullptr) {
      soname_ = candidate;
      handle_.store(opened, std::memory_order_release);
    } else {
      const char* const reason = dlerror();
      *error = reason == nullptr ? candidate + ": dlopen failed without a reason" : reason;
    }
  }
  *soname = soname_;
  return handle() != nullptr;
}

void* FindSymbol(const Library& library, const char* name) {
  void* const handle = library.handle();
  return handle == nullptr ? nullptr : dlsym(handle, name);
}

}  // namespace xenpt
