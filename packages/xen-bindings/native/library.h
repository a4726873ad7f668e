// A shared library opened at run time, and its functions, each through a pointer of its own type.
#pragma once

#include <napi.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <string>
#include <vector>

#include "error.h"

namespace xenpt {

/**
 * One library of the process. Loaded once, by the first candidate that works; never unloaded, because a handle that
 * it gave out may outlive the thread that loaded it.
 */
class Library {
 public:
  explicit Library(const char* name) : name_(name) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const char* name() const { return name_; }

  /**
   * Tries the candidates in order. True: loaded, `soname` says from where. False: `error` is the linker's last
   * word.
   */
  bool Load(const std::vector<std::string>& candidates, std::string* soname, std::string* error);

  /** The loaded library's handle, or null. */
  void* handle() const { return handle_.load(std::memory_order_acquire); }

 private:
  const char* const name_;
  std::mutex mutex_;
  std::string soname_;
  std::atomic<void*> handle_{nullptr};
};

/** Address of a function in a loaded library, or null. */
void* FindSymbol(const Library& library, const char* name);

template <typename Signature>
class Function;

/**
 * One C function. Found at its first call; a library or a function that is missing is an error of that call only.
 */
template <typename Result, typename... Arguments>
class Function<Result(Arguments...)> {
 public:
  using Pointer = Result (*)(Arguments...);

  constexpr Function(Library& library, const char* name) : library_(library), name_(name) {}

  const char* name() const { return name_; }

  /** Null when the library or the function is missing. For clean-up, where nothing may be thrown. */
  Pointer Find() const {
    void* address = address_.load(std::memory_order_acquire);
    if (address == nullptr) {
      address = FindSymbol(library_, name_);
      address_.store(address, std::memory_order_release);
    }
    return reinterpret_cast<Pointer>(address);
  }

  /** Calls the function with errno cleared. Throws kind "library" or "symbol". */
  Result operator()(Napi::Env env, Arguments... arguments) const {
    const Pointer pointer = Find();
    if (pointer == nullptr) {
      if (library_.handle() == nullptr) throw LibraryNotLoaded(env, library_.name());
      throw SymbolMissing(env, library_.name(), name_);
    }
    errno = 0;
    return pointer(arguments...);
  }

 private:
  Library& library_;
  const char* const name_;
  mutable std::atomic<void*> address_{nullptr};
};

}  // namespace xenpt
