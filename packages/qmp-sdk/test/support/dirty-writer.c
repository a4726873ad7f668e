/* dirty-writer PAGES RATE: writes into one 4 KiB page after the other of a region of PAGES pages, round and round, RATE
 * pages a second, until it is killed. Static, without a C library: Linux on x86-64.
 *
 * Each write is its own number, so a page's content changes every time, and the page says which write was its last.
 * Once a second it prints "written TOTAL MILLISECONDS LOST": pages since the start, and how many of them did not hold
 * what had been written there before.
 */
typedef unsigned long word;

enum { WRITE = 1, MMAP = 9, NANOSLEEP = 35, MLOCK = 149, CLOCK_GETTIME = 228 };
enum { PAGE_WORDS = 512, SLOT_NS = 10000000, SECOND_NS = 1000000000 };

static word call(word number, word a, word b, word c, word d, word e) {
  register word r10 __asm__("r10") = d;
  register word r8 __asm__("r8") = e;
  register word r9 __asm__("r9") = 0;
  word result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static word parse(const char *text) {
  word number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (word)(*text - '0');
  return number;
}

static word now(void) {
  word time[2];
  call(CLOCK_GETTIME, 1, (word)time, 0, 0, 0);
  return time[0] * SECOND_NS + time[1];
}

static void report(word written, word ms, word lost) {
  char line[80] = "written", digits[24];
  word size = 7, numbers[3] = {written, ms, lost};
  for (int index = 0; index < 3; index++) {
    int count = 0;
    line[size++] = ' ';
    do digits[count++] = (char)('0' + numbers[index] % 10); while (numbers[index] /= 10);
    while (count) line[size++] = digits[--count];
  }
  line[size++] = '\n';
  call(WRITE, 1, (word)line, size, 0, 0);
}

__attribute__((used)) static void begin(word *stack) {
  word pages = parse((char *)stack[2]), rate = parse((char *)stack[3]);
  volatile word *region = (word *)call(MMAP, 0, pages * PAGE_WORDS * 8, 3, 0x22, (word)-1);
  /* The first round: now they are there, and none is all zeros. */
  for (word page = 0; page < pages; page++) region[page * PAGE_WORDS] = page + 1;
  call(MLOCK, (word)region, pages * PAGE_WORDS * 8, 0, 0, 0);
  word start = now(), written = 0, lost = 0, told = 0, page = 0;
  for (;;) {
    word elapsed = now() - start, due = rate * (elapsed / 1000000) / 1000;
    for (; written < due; written++) {
      volatile word *content = region + page * PAGE_WORDS;
      if (*content != written + 1) lost++;
      *content = written + 1 + pages;
      page = page + 1 == pages ? 0 : page + 1;
    }
    if (elapsed / SECOND_NS > told) {
      told = elapsed / SECOND_NS;
      report(written, elapsed / 1000000, lost);
    }
    word pause[2] = {0, SLOT_NS};
    call(NANOSLEEP, (word)pause, 0, 0, 0, 0);
  }
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n hlt\n");
