// JavaScript values into C values. The C type decides the range; nothing is ever cut off silently.
#pragma once

#include <napi.h>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

namespace xenpt {

/** Up to 32 bits from a number, 64 bits from a BigInt, bool from a boolean. Throws TypeError or RangeError. */
template <typename T>
T Argument(const Napi::CallbackInfo& info, size_t index) {
  const Napi::Value value = info[index];
  // Only what is wrong needs a name: these are read several times for each access of a guest.
  const auto wrong = [index](const char* what) { return "argument " + std::to_string(index + 1) + what; };
  if constexpr (std::is_same_v<T, bool>) {
    if (!value.IsBoolean()) throw Napi::TypeError::New(info.Env(), wrong(" must be a boolean"));
    return value.As<Napi::Boolean>().Value();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!value.IsString()) throw Napi::TypeError::New(info.Env(), wrong(" must be a string"));
    return value.As<Napi::String>().Utf8Value();
  } else if constexpr (sizeof(T) == 8) {
    static_assert(std::is_unsigned_v<T>, "no C function here takes a signed 64-bit value");
    if (!value.IsBigInt()) throw Napi::TypeError::New(info.Env(), wrong(" must be a bigint"));
    bool lossless = false;
    const uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
    if (!lossless) throw Napi::RangeError::New(info.Env(), wrong(" does not fit 64 bits, unsigned"));
    return number;
  } else {
    static_assert(std::is_integral_v<T> && sizeof(T) <= 4, "the types of libxen");
    if (!value.IsNumber()) throw Napi::TypeError::New(info.Env(), wrong(" must be a number"));
    const double number = value.As<Napi::Number>().DoubleValue();
    constexpr double low = std::numeric_limits<T>::min();
    constexpr double high = std::numeric_limits<T>::max();
    if (!(number >= low && number <= high) || std::trunc(number) != number) {
      throw Napi::RangeError::New(info.Env(), wrong(" is not an integer in the range of its C type"));
    }
    return static_cast<T>(number);
  }
}

}  // namespace xenpt
