// A number that goes to and fro between JavaScript and C++ without being one: what does not fit V8's small integers, 31
// bits and a sign, would be allocated each time it is passed.
#pragma once

#include <napi.h>

#include <cstring>
#include <string>

namespace xenpt {

/** The bytes of a typed array that JavaScript made for it, and never gives away. */
template <typename T>
class SharedValue {
 public:
  SharedValue(const Napi::CallbackInfo& info, size_t index) {
    const Napi::Value value = info[index];
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().ByteLength() != sizeof(T)) {
      throw Napi::TypeError::New(info.Env(), "argument " + std::to_string(index + 1) + " must be a typed array of " +
                                                 std::to_string(sizeof(T)) + " bytes");
    }
    const Napi::TypedArray array = value.As<Napi::TypedArray>();
    bytes_ = static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
    array_ = Napi::Persistent(array);
  }

  T Get() const {
    T value;
    std::memcpy(&value, bytes_, sizeof value);
    return value;
  }

  void Set(T value) { std::memcpy(bytes_, &value, sizeof value); }

 private:
  uint8_t* bytes_;
  Napi::Reference<Napi::TypedArray> array_;
};

}  // namespace xenpt
