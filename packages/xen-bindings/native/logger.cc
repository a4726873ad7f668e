#include "logger.h"

#include <cerrno>
#include <cstdio>

namespace xenpt {
namespace {

constexpr int kLevelWarning = 7;  // XTL_WARN

void IgnoreProgress(xentoollog_logger*, const char*, const char*, int, unsigned long, unsigned long) {}
void IgnoreDestroy(xentoollog_logger*) {}

}  // namespace

Logger::Logger() : base_{Keep, IgnoreProgress, IgnoreDestroy}, message_{} {}

void Logger::Keep(xentoollog_logger* base, int level, int, const char*, const char* format, va_list arguments) {
  if (level < kLevelWarning) return;
  const int saved = errno;  // libxen reports first and returns errno afterwards
  Logger* const self = reinterpret_cast<Logger*>(base);
  std::vsnprintf(self->message_, sizeof self->message_, format, arguments);
  errno = saved;
}

}  // namespace xenpt
