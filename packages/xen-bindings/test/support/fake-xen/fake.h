/* Shared by the fake libraries: a folder, named by FAKE_XEN_FOLDER, is all the outside world they have.
 *   calls.log        every call, one line: its name and arguments in decimal
 *   fail-<function>  "ERRNO COUNT": the next COUNT calls of that function fail
 */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct xentoollog_logger xentoollog_logger;
struct xentoollog_logger {
  void (*vmessage)(xentoollog_logger *, int level, int errnoval, const char *context, const char *format, va_list);
  void (*progress)(xentoollog_logger *, const char *, const char *, int, unsigned long, unsigned long);
  void (*destroy)(xentoollog_logger *);
};

#define U64(value) ((uint64_t)(value))

__attribute__((unused)) static char *fake_path(const char *name) {
  static __thread char path[512];
  snprintf(path, sizeof path, "%s/%s", getenv("FAKE_XEN_FOLDER"), name);
  return path;
}

__attribute__((unused, format(printf, 1, 2))) static void record(const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  line[size++] = '\n';
  int file = open(fake_path("calls.log"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (write(file, line, (size_t)size) != size) abort();
  close(file);
}

/* True: this call is to fail, and errno is set. */
__attribute__((unused)) static bool fails(const char *function) {
  char name[128];
  snprintf(name, sizeof name, "fail-%s", function);
  FILE *file = fopen(fake_path(name), "r");
  if (file == NULL) return false;
  int number = 0, count = 0;
  if (fscanf(file, "%d %d", &number, &count) != 2) abort();
  fclose(file);
  if (count == 0) return false;
  file = fopen(fake_path(name), "w");
  fprintf(file, "%d %d", number, count - 1);
  fclose(file);
  errno = number;
  return true;
}

__attribute__((unused, format(printf, 2, 3))) static void say(xentoollog_logger *logger, const char *format, ...) {
  const int error = 8; /* XTL_ERROR */
  va_list arguments;
  va_start(arguments, format);
  logger->vmessage(logger, error, errno, "fake", format, arguments);
  va_end(arguments);
}
