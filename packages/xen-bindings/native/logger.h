// A logger for libxen that keeps the last message instead of printing it to stderr.
#pragma once

#include <cstdarg>

// Same layout as Xen's public struct of this name (tools/include/xentoollog.h), unchanged from 4.17 to 4.22.
struct xentoollog_logger {
  void (*vmessage)(xentoollog_logger*, int level, int error_number, const char* context, const char* format, va_list);
  void (*progress)(xentoollog_logger*, const char* context, const char* doing_what, int percent, unsigned long done,
                   unsigned long total);
  void (*destroy)(xentoollog_logger*);
};

namespace xenpt {

/** Must outlive the handle that was opened with it. Not thread safe, like the handle. */
class Logger {
 public:
  Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  /** What a C function takes. */
  xentoollog_logger* pointer() { return &base_; }
  /** The last warning or error since Clear(), cut at 255 bytes; empty if there was none. */
  const char* message() const { return message_; }
  void Clear() { message_[0] = '\0'; }

 private:
  static void Keep(xentoollog_logger*, int level, int error_number, const char* context, const char* format, va_list);

  xentoollog_logger base_;  // first: libxen hands its address back to Keep()
  char message_[256];
};

}  // namespace xenpt
