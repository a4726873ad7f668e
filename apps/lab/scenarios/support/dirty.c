/* dirty REGION_PAGES PAGES_PER_SECOND: writes one word into one 4 KiB page after the other of a region of its own,
 * round and round, at that rate, until it is killed. What it could not write while its machine stood still is left
 * out: the rate then is lower, and "written" says by how much.
 *
 * It prints "frames FIRST COUNT" for each run of guest frames of the region, "start", and then once a second
 * "written TOTAL MILLISECONDS": pages written and time since the start.
 */
#include "guest.h"

enum { HUGE = 2 << 20, SLOT_NS = 10 * MS_IN_NS, MOST_LATE_NS = 10 * SLOT_NS };

/* The region's guest frames from /proc/self/pagemap: 55 bits of each word, which only root can see. */
static void print_frames(const volatile char *region, word pages) {
  word file = call(OPEN, (word) "/proc/self/pagemap", 0, 0), first = 0, count = 0;
  for (word page = 0; page < pages; page++) {
    word entry = 0;
    call6(PREAD, file, (word)&entry, sizeof entry, ((word)region / PAGE + page) * sizeof entry, 0, 0);
    word frame = entry & ((1ul << 55) - 1);
    if (count && frame == first + count) {
      count++;
      continue;
    }
    if (count) print("frames", (word[]){first, count}, 2);
    first = frame;
    count = 1;
  }
  print("frames", (word[]){first, count}, 2);
}

static void begin(char **arguments) {
  word pages = parse(arguments[1]), rate = parse(arguments[2]);
  /* Huge pages keep the region in few runs of frames; locked, so that nothing is moved. */
  word mapped = call6(MMAP, 0, pages * PAGE + HUGE, 3, 0x22, (word)-1, 0);
  volatile char *region = (char *)((mapped + HUGE - 1) & ~(word)(HUGE - 1));
  call(MADVISE, (word)region, (pages * PAGE + HUGE - 1) & ~(word)(HUGE - 1), 14);
  for (word page = 0; page < pages; page++) region[page * PAGE] = 1;
  call(MLOCK, (word)region, pages * PAGE, 0);
  print_frames(region, pages);
  print("start", 0, 0);
  word start = now_ns(), written = 0, told = 0, page = 0, last = 0, missed = 0;
  for (;;) {
    word elapsed = now_ns() - start;
    if (elapsed - last > MOST_LATE_NS) missed += elapsed - last;
    last = elapsed;
    word due = rate * ((elapsed - missed) / MS_IN_NS) / 1000;
    for (; written < due; written++) {
      *(volatile word *)(region + page * PAGE) = written;
      page = page + 1 == pages ? 0 : page + 1;
    }
    if (elapsed / SECOND_IN_NS > told) {
      told = elapsed / SECOND_IN_NS;
      print("written", (word[]){written, elapsed / MS_IN_NS}, 2);
    }
    word pause[2] = {0, SLOT_NS};
    call(NANOSLEEP, (word)pause, 0, 0);
  }
}
