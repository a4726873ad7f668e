/* config-probe DEVFN <SCRIPT: runs a script of accesses on one function of bus 0 by configuration mechanism 1 (ports
 * 0xcf8 and 0xcfc), so that each access has exactly its width.
 *
 * The script is text: one letter and hexadecimal digits, then white space.
 *   s OO            saves the word at OO, and answers it
 *   r OO W          answers a read of W bytes (1, 2 or 4; crossing a word is allowed)
 *   w OO W VVVVVVVV writes
 *   x OO W          writes what was saved
 * An answer is eight hexadecimal digits. "!" ends the output of a script that was run to its end.
 */
#include "guest.h"

enum { SCRIPT_BYTES = 1 << 20, ANSWER_BYTES = 1 << 20 };

static char script[SCRIPT_BYTES], answers[ANSWER_BYTES];
static dword saved[64];

/* Nothing else in the guest uses the address port meanwhile. */
static half select(dword devfn, dword offset) {
  static dword selected;
  dword address = 0x80000000u | devfn << 8 | (offset & 0xfc);
  if (selected != address) out4(ADDRESS_PORT, address);
  selected = address;
  return (half)(DATA_PORT + (offset & 3));
}

static dword read_config(dword devfn, dword offset, dword width) {
  half port = select(devfn, offset);
  if (width == 1) return in1(port);
  return width == 2 ? in2(port) : in4(port);
}

static void write_config(dword devfn, dword offset, dword width, dword value) {
  half port = select(devfn, offset);
  if (width == 1) out1(port, (byte)value);
  if (width == 2) out2(port, (half)value);
  if (width == 4) out4(port, value);
}

/* The digits that follow, most significant first; `*text` is left behind them. */
static dword parse_hex(const char **text, int digits) {
  dword value = 0;
  for (; digits > 0; digits--, (*text)++) {
    value = value << 4 | (dword)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
  }
  return value;
}

static word answer(word size, dword value) {
  for (int shift = 28; shift >= 0; shift -= 4) answers[size++] = "0123456789abcdef"[value >> shift & 15];
  return size;
}

static void begin(char **arguments) {
  const char *text = arguments[1];
  dword devfn = parse_hex(&text, 2);
  word size = 0, length = 0, got;
  while ((got = call(READ, 0, (word)script + length, SCRIPT_BYTES - 1 - length)) - 1 < SCRIPT_BYTES) length += got;
  if (call(IOPL, 3, 0, 0)) leave(1);
  for (text = script; *text && size + 9 < ANSWER_BYTES;) {
    char operation = *text++;
    if (operation <= ' ') continue;
    dword offset = parse_hex(&text, 2);
    dword width = operation == 's' ? 4 : parse_hex(&text, 1);
    if (operation == 's') size = answer(size, saved[offset >> 2] = read_config(devfn, offset, 4));
    if (operation == 'r') size = answer(size, read_config(devfn, offset, width));
    if (operation == 'w') write_config(devfn, offset, width, parse_hex(&text, 8));
    if (operation == 'x') write_config(devfn, offset, width, saved[offset >> 2] >> (offset & 3) * 8);
  }
  answers[size++] = '!';
  call(WRITE, 1, (word)answers, size);
  leave(0);
  __builtin_unreachable();
}
