/* config-probe DEVFN <SCRIPT: runs a script of accesses on one function of bus 0 by configuration mechanism 1 (ports
 * 0xcf8 and 0xcfc), so that each access has exactly its width. For a guest without a C library: Linux on x86-64,
 * system calls only.
 *
 * The script is text: one letter and hexadecimal digits, then white space.
 *   s OO            saves the word at OO, and answers it
 *   r OO W          answers a read of W bytes (1, 2 or 4; crossing a word is allowed)
 *   w OO W VVVVVVVV writes
 *   x OO W          writes what was saved
 * An answer is eight hexadecimal digits. "!" ends the output of a script that was run to its end.
 */
typedef unsigned long word;

enum { READ = 0, WRITE = 1, EXIT = 60, IOPL = 172 };
enum { ADDRESS = 0xcf8, DATA = 0xcfc, SCRIPT_BYTES = 1 << 20, ANSWER_BYTES = 1 << 20 };

static char script[SCRIPT_BYTES], answers[ANSWER_BYTES];
static unsigned saved[64];

static word call(word number, word a, word b, word c) {
  word result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

/* An access to the address port is a trip to QEMU in itself. Nothing else in the guest uses it meanwhile. */
static unsigned select(unsigned devfn, unsigned offset) {
  static unsigned selected;
  unsigned address = 0x80000000u | devfn << 8 | (offset & 0xfc);
  if (selected != address) __asm__ volatile("outl %0, %w1" : : "a"(address), "Nd"(ADDRESS));
  selected = address;
  return DATA + (offset & 3);
}

static unsigned read_config(unsigned devfn, unsigned offset, unsigned width) {
  unsigned port = select(devfn, offset), value = 0;
  if (width == 1) __asm__ volatile("inb %w1, %b0" : "+a"(value) : "Nd"(port));
  if (width == 2) __asm__ volatile("inw %w1, %w0" : "+a"(value) : "Nd"(port));
  if (width == 4) __asm__ volatile("inl %w1, %0" : "+a"(value) : "Nd"(port));
  return value;
}

static void write_config(unsigned devfn, unsigned offset, unsigned width, unsigned value) {
  unsigned port = select(devfn, offset);
  if (width == 1) __asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
  if (width == 2) __asm__ volatile("outw %w0, %w1" : : "a"(value), "Nd"(port));
  if (width == 4) __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}

/* The digits that follow, most significant first; `*text` is left behind them. */
static unsigned parse(const char **text, int digits) {
  unsigned value = 0;
  for (; digits > 0; digits--, (*text)++) {
    value = value << 4 | (unsigned)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
  }
  return value;
}

static word answer(word size, unsigned value) {
  for (int shift = 28; shift >= 0; shift -= 4) answers[size++] = "0123456789abcdef"[value >> shift & 15];
  return size;
}

__attribute__((used)) static void run(const word *stack) {
  const char *text = (const char *)stack[2];
  unsigned devfn = parse(&text, 2);
  word size = 0, length = 0, got;
  while ((got = call(READ, 0, (word)script + length, SCRIPT_BYTES - 1 - length)) - 1 < SCRIPT_BYTES) length += got;
  if (call(IOPL, 3, 0, 0) != 0) call(EXIT, 1, 0, 0);
  for (text = script; *text && size + 9 < ANSWER_BYTES;) {
    char operation = *text++;
    if (operation <= ' ') continue;
    unsigned offset = parse(&text, 2);
    unsigned width = operation == 's' ? 4 : parse(&text, 1);
    if (operation == 's') size = answer(size, saved[offset >> 2] = read_config(devfn, offset, 4));
    if (operation == 'r') size = answer(size, read_config(devfn, offset, width));
    if (operation == 'w') write_config(devfn, offset, width, parse(&text, 8));
    if (operation == 'x') write_config(devfn, offset, width, saved[offset >> 2] >> (offset & 3) * 8);
  }
  answers[size++] = '!';
  call(WRITE, 1, (word)answers, size);
  call(EXIT, 0, 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run");
