/* dirty REGION_PAGES PAGES_PER_SECOND: writes one word into one 4 KiB page after the other of a region of its own,
 * round and round, at that rate, until it is killed. For a guest without a C library: Linux on x86-64, system calls
 * only.
 *
 * It prints "frames FIRST COUNT" for each run of guest frames of the region, "start", and then once a second
 * "written TOTAL MILLISECONDS": pages written and time since the start.
 */
typedef unsigned long word;

enum { READ = 0, WRITE = 1, OPEN = 2, MMAP = 9, PREAD = 17, MADVISE = 28, NANOSLEEP = 35, EXIT = 60, MLOCK = 149,
       CLOCK_GETTIME = 228 };
enum { PAGE = 4096, HUGE = 2 << 20, SLOT_NS = 10000000, SECOND_NS = 1000000000 };

static word call(word number, word a, word b, word c, word d, word e, word f) {
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

static void print(const char *text, word first, word second) {
  char line[96], digits[24];
  word size = 0;
  for (; text[size]; size++) line[size] = text[size];
  word numbers[2] = {first, second};
  for (int index = 0; index < 2 && text[0] != 's'; index++) {
    int count = 0;
    line[size++] = ' ';
    do digits[count++] = (char)('0' + numbers[index] % 10); while (numbers[index] /= 10);
    while (count) line[size++] = digits[--count];
  }
  line[size++] = '\n';
  call(WRITE, 1, (word)line, size, 0, 0, 0);
}

static word parse(const char *text) {
  word number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (word)(*text - '0');
  return number;
}

static word now(void) {
  word time[2];
  call(CLOCK_GETTIME, 1, (word)time, 0, 0, 0, 0);
  return time[0] * SECOND_NS + time[1];
}

/* The region's guest frames from /proc/self/pagemap: 55 bits of each word, which only root can see. */
static void print_frames(const volatile char *region, word pages) {
  word file = call(OPEN, (word) "/proc/self/pagemap", 0, 0, 0, 0, 0), first = 0, count = 0;
  for (word page = 0; page < pages; page++) {
    word entry = 0;
    call(PREAD, file, (word)&entry, sizeof entry, ((word)region / PAGE + page) * sizeof entry, 0, 0);
    word frame = entry & ((1ul << 55) - 1);
    if (count && frame == first + count) {
      count++;
      continue;
    }
    if (count) print("frames", first, count);
    first = frame;
    count = 1;
  }
  print("frames", first, count);
}

__attribute__((used)) static void begin(word *stack) {
  word pages = parse((char *)stack[2]), rate = parse((char *)stack[3]);
  /* Huge pages keep the region in few runs of frames; locked, so that nothing is moved. */
  word mapped = call(MMAP, 0, pages * PAGE + HUGE, 3, 0x22, (word)-1, 0);
  volatile char *region = (char *)((mapped + HUGE - 1) & ~(word)(HUGE - 1));
  call(MADVISE, (word)region, (pages * PAGE + HUGE - 1) & ~(word)(HUGE - 1), 14, 0, 0, 0);
  for (word page = 0; page < pages; page++) region[page * PAGE] = 1;
  call(MLOCK, (word)region, pages * PAGE, 0, 0, 0, 0);
  print_frames(region, pages);
  print("start", 0, 0);
  word start = now(), written = 0, told = 0, page = 0;
  for (;;) {
    word elapsed = now() - start, due = rate * (elapsed / 1000000) / 1000;
    for (; written < due; written++) {
      *(volatile word *)(region + page * PAGE) = written;
      page = page + 1 == pages ? 0 : page + 1;
    }
    if (elapsed / SECOND_NS > told) {
      told = elapsed / SECOND_NS;
      print("written", written, elapsed / 1000000);
    }
    word pause[2] = {0, SLOT_NS};
    call(NANOSLEEP, (word)pause, 0, 0, 0, 0, 0);
  }
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n hlt\n");
