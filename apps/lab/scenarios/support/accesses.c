/* accesses random DEVICE MILLISECONDS TABLE SEED: random accesses to PCI function 00:DEVICE.0 of the guest, single and
 *   repeated, of every width and alignment, as fast as it can: to its configuration through ports 0xcf8 and 0xcfc, and
 *   to its MSI-X entries through the file TABLE, a resourceN whose first page holds them. Prints
 *   "random CONFIGURATION_COUNT TABLE_COUNT".
 * accesses measure DEVICE MILLISECONDS TABLE OTHER_DEVICE OTHER_TABLE: times single accesses to both by turns, that
 *   many milliseconds for each kind. Prints "KIND COUNT TOTAL_US P50_NS P99_NS P999_NS" for each kind and device;
 *   TOTAL_US is the time inside the accesses.
 * Run as root.
 */
#include "guest.h"

enum { SAMPLES = 1 << 17, DEVICES = 2, TURN = 32 };

static word ticks(void) {
  dword low, high;
  __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
  return (word)high << 32 | low;
}

static dword device;
static volatile byte *table;
static word samples[DEVICES][SAMPLES];

static void aim(dword offset) { out4(ADDRESS_PORT, 0x80000000u | device << 11 | (offset & 0xfc)); }

/* One access of each kind. The address port is written before: that access is QEMU's in any case. */
static void read_identity(word round) { (void)round, in4(DATA_PORT); }
static void read_status(word round) { (void)round, in2(DATA_PORT + 2); }
static void write_line(word round) { out1(DATA_PORT, (byte)(round & 15)); }
static void write_command(word round) { (void)round, out2(DATA_PORT, 0x0002); }
static volatile dword *entry_data(word round) { return (volatile dword *)(table + 16 * (round % 3) + 8); }
static void read_entry(word round) { (void)*entry_data(round); }
static void write_entry(word round) { *entry_data(round) = (dword)(0x4030 + round % 64); }

static const struct {
  const char *name;
  dword offset;
  void (*access)(word round);
} kinds[] = {
    {"config-read-identity", 0x00, read_identity}, {"config-read-status", 0x04, read_status},
    {"config-write-line", 0x3c, write_line},       {"config-write-command", 0x04, write_command},
    {"msix-read", 0, read_entry},                  {"msix-write", 0, write_entry},
};

static void sort(word *numbers, word count) {
  word gap = 1;
  while (gap < count / 3) gap = 3 * gap + 1;
  for (; gap; gap /= 3) {
    for (word index = gap; index < count; index++) {
      word value = numbers[index], place = index;
      for (; place >= gap && numbers[place - gap] > value; place -= gap) numbers[place] = numbers[place - gap];
      numbers[place] = value;
    }
  }
}

static void measure(word milliseconds, const dword *devices, volatile byte *const *tables) {
  for (word kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
    word count = 0, first = ticks(), start = now_ns();
    /* Whatever else the machine does meets both. The first turn is not counted: nothing is warm in it. */
    for (word end = start + milliseconds * MS_IN_NS, turn = 0; count + TURN <= SAMPLES && now_ns() < end; turn++) {
      for (int which = 0; which < DEVICES; which++) {
        device = devices[which], table = tables[which];
        aim(kinds[kind].offset);
        for (word round = 0; round < TURN; round++) {
          word before = ticks();
          kinds[kind].access(count + round);
          samples[which][count + round] = ticks() - before;
        }
      }
      if (turn) count += TURN;
    }
    word us = (now_ns() - start) / 1000, ticks_in_ms = (ticks() - first) * 1000 / us;
    for (int which = 0; which < DEVICES; which++) {
      word *of = samples[which], total = 0;
      for (word index = 0; index < count; index++) total += of[index];
      sort(of, count);
      word in_ns[3] = {of[count / 2], of[count * 99 / 100], of[count * 999 / 1000]};
      for (int index = 0; index < 3; index++) in_ns[index] = in_ns[index] * MS_IN_NS / ticks_in_ms;
      print(kinds[kind].name, (word[]){count, total * 1000 / ticks_in_ms, in_ns[0], in_ns[1], in_ns[2]}, 5);
    }
  }
}

static word state;
static word any(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static void any_configuration(void) {
  static byte buffer[64];
  word choice = any();
  dword lane = (choice >> 8) & 3, value = (dword)(any() >> 20);
  aim((dword)(choice >> 16) & 0xff);
  if (choice & 0x1000000) value = choice & 0x2000000 ? 0xffffffff : value & 0xf0ff;
  switch (choice & 15) {
    case 0: out4(DATA_PORT, value); break;
    case 1: out2((half)(DATA_PORT + (lane & 2)), (half)value); break;
    case 2: out1((half)(DATA_PORT + lane), (byte)value); break;
    case 3: out4((half)(DATA_PORT + lane), value); break;
    case 4: in2((half)(DATA_PORT + lane)); break;
    case 5: in1((half)(DATA_PORT + lane)); break;
    case 6: {
      word address = (word)buffer, count = 1 + (choice >> 32) % 16;
      __asm__ volatile("rep outsl" : "+S"(address), "+c"(count) : "d"(DATA_PORT) : "memory");
      break;
    }
    case 7: {
      word address = (word)buffer, count = 1 + (choice >> 32) % 16;
      __asm__ volatile("rep insl" : "+D"(address), "+c"(count) : "d"(DATA_PORT) : "memory");
      break;
    }
    default: in4(DATA_PORT);
  }
}

static void any_table(void) {
  static byte buffer[PAGE];
  word choice = any(), value = any();
  word offset = choice & 0x800000 ? (choice >> 8) % 256 : (choice >> 8) % (PAGE - 8);
  volatile byte *place = table + (choice & 0x400000 ? offset & ~7ul : offset);
  switch (choice & 15) {
    case 0: *place = (byte)value; break;
    case 1: *(volatile half *)place = (half)value; break;
    case 2: case 3: *(volatile dword *)place = (dword)value; break;
    case 4: *(volatile word *)place = value; break;
    case 5: (void)*place; break;
    case 6: (void)*(volatile half *)place; break;
    case 7: (void)*(volatile word *)place; break;
    case 8: case 9: {
      word from = (word)(choice & 16 ? (byte *)table : buffer), to = (word)(choice & 16 ? buffer : (byte *)table);
      word count = 1 + (value & 255);
      /* The kernel of a guest has the direction flag clear when it is entered; a program may do as it likes. */
      if (choice & 32) {
        from += 2048, to += 2048;
        __asm__ volatile("std; rep movsl; cld" : "+S"(from), "+D"(to), "+c"(count)::"memory");
      } else {
        __asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count)::"memory");
      }
      break;
    }
    case 10: {
      word to = (word)table, count = 1 + (value & 255);
      __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(value) : "memory");
      break;
    }
    default: (void)*(volatile dword *)place;
  }
}

static void random_accesses(word milliseconds) {
  word configuration = 0, entries = 0, end = now_ns() + milliseconds * MS_IN_NS;
  dword home[16];
  for (dword index = 0; index < 16; index++) aim(index * 4), home[index] = in4(DATA_PORT);
  for (word round = 0; (round & 63) || now_ns() < end; round++) {
    if (any() & 1) any_configuration(), configuration++;
    else any_table(), entries++;
    /* Back in place and decoding, so that the table is there again. */
    if ((round & 255) == 255) {
      for (dword index = 4; index < 10; index++) aim(index * 4), out4(DATA_PORT, home[index]);
      aim(4), out4(DATA_PORT, home[1] | 2);
    }
  }
  print("random", (word[]){configuration, entries}, 2);
}

static volatile byte *open_table(const char *path) {
  word file = call(OPEN, (word)path, 2, 0), at = call6(MMAP, 0, PAGE, 3, 1, file, 0);
  if (at > -4096ul) fail("no table", at);
  return (volatile byte *)at;
}

static void begin(char **arguments) {
  word milliseconds = parse(arguments[3]);
  device = (dword)parse(arguments[2]);
  table = open_table(arguments[4]);
  if (call(IOPL, 3, 0, 0)) fail("no ports", 0);
  if (arguments[1][0] == 'm') {
    dword other = (dword)parse(arguments[5]);
    measure(milliseconds, (dword[]){device, other}, (volatile byte *[]){table, open_table(arguments[6])});
  } else {
    state = parse(arguments[5]) | 1, random_accesses(milliseconds);
  }
  leave(0);
  __builtin_unreachable();
}
