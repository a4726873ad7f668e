/* What the programs for a guest share. The guest has no C library: Linux on x86-64, system calls only. A program is
 * its `begin`, which never returns; its arguments end with a null pointer. */
#pragma once

typedef unsigned long word;
typedef unsigned int dword;
typedef unsigned short half;
typedef unsigned char byte;

enum { READ = 0, WRITE = 1, OPEN = 2, MMAP = 9, IOCTL = 16, PREAD = 17, MADVISE = 28, NANOSLEEP = 35, EXIT = 60,
       MLOCK = 149, IOPL = 172, CLOCK_GETTIME = 228 };
enum { PAGE = 4096, MS_IN_NS = 1000000, SECOND_IN_NS = 1000000000 };

/* A result from -4095 on is an error, negative. */
static inline word call6(word number, word a, word b, word c, word d, word e, word f) {
  register word r10 __asm__("r10") = d;
  register word r8 __asm__("r8") = e;
  register word r9 __asm__("r9") = f;
  word result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static inline word call(word number, word a, word b, word c) { return call6(number, a, b, c, 0, 0, 0); }
static inline void leave(word code) { call(EXIT, code, 0, 0); }

/* A line: the text, and the numbers behind it. */
static inline void print(const char *text, const word *numbers, int amount) {
  char line[160], digits[24];
  word size = 0;
  for (; text[size]; size++) line[size] = text[size];
  for (int index = 0; index < amount; index++) {
    int count = 0;
    word number = numbers[index];
    line[size++] = ' ';
    do digits[count++] = (char)('0' + number % 10); while (number /= 10);
    while (count) line[size++] = digits[--count];
  }
  line[size++] = '\n';
  call(WRITE, 1, (word)line, size);
}

static inline void fail(const char *what, word result) {
  print(what, (word[]){-result}, 1);
  leave(1);
}

static inline word parse(const char *text) {
  word number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (word)(*text - '0');
  return number;
}

static inline word now_ns(void) {
  word time[2];
  call(CLOCK_GETTIME, 1, (word)time, 0);
  return time[0] * SECOND_IN_NS + time[1];
}

/* Configuration mechanism 1. An access to the address port is a trip to QEMU in itself. */
enum { ADDRESS_PORT = 0xcf8, DATA_PORT = 0xcfc };

static inline void out4(half port, dword value) { __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out2(half port, half value) { __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out1(half port, byte value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

static inline dword in4(half port) {
  dword value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline half in2(half port) {
  half value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline byte in1(half port) {
  byte value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

__attribute__((used, noreturn)) static void begin(char **arguments);

/* The stack has the number of arguments, then the arguments, the program's own name first. */
__asm__(".globl _start\n_start: lea 8(%rsp), %rdi\n and $-16, %rsp\n call begin\n hlt\n");
