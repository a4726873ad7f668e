// play FILE.wav: plays a RIFF file of 16-bit stereo samples on the first sound card, by ALSA's own system calls, and
// prints how many frames the card took. Without a C library: it starts in a guest that has none.
#include <linux/fcntl.h>
#include <linux/ioctl.h>
#include <sound/asound.h>
#include <sys/syscall.h>

#define RIFF_HEADER_BYTES 44
#define PERIOD_FRAMES 1024
#define FRAME_BYTES 4

static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

static void print(const char *text, long number) {
  char line[96];
  int size = 0, digits = 0;
  char reversed[24];
  while (*text) line[size++] = *text++;
  if (number < 0) {
    line[size++] = '-';
    number = -number;
  }
  do reversed[digits++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (digits > 0) line[size++] = reversed[--digits];
  line[size++] = '\n';
  call(SYS_write, 1, (long)line, size);
}

static void fail(const char *what, long error) {
  print(what, error);
  call(SYS_exit_group, 1, 0, 0);
}

static struct snd_pcm_hw_params params;

static void choose(int parameter, unsigned value) {
  struct snd_mask *choice = &params.masks[parameter - SNDRV_PCM_HW_PARAM_FIRST_MASK];
  for (unsigned word = 0; word < sizeof choice->bits / 4; word++) choice->bits[word] = 0;
  choice->bits[value / 32] = 1u << (value % 32);
}

static void fix(int parameter, unsigned value) {
  struct snd_interval *interval = &params.intervals[parameter - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
  *interval = (struct snd_interval){.min = value, .max = value, .integer = 1};
}

static void chooseParameters(void) {
  for (int index = 0; index <= SNDRV_PCM_HW_PARAM_LAST_MASK - SNDRV_PCM_HW_PARAM_FIRST_MASK; index++)
    for (unsigned word = 0; word < sizeof params.masks[0].bits / 4; word++) params.masks[index].bits[word] = ~0u;
  for (int index = 0; index <= SNDRV_PCM_HW_PARAM_LAST_INTERVAL - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL; index++)
    params.intervals[index] = (struct snd_interval){.max = ~0u};
  choose(SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
  choose(SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
  fix(SNDRV_PCM_HW_PARAM_CHANNELS, 2);
  fix(SNDRV_PCM_HW_PARAM_RATE, 48000);
  fix(SNDRV_PCM_HW_PARAM_PERIOD_SIZE, PERIOD_FRAMES);
  fix(SNDRV_PCM_HW_PARAM_PERIODS, 4);
  params.rmask = ~0u;
}

__attribute__((used)) static void start(long *stack) {
  static char samples[PERIOD_FRAMES * FRAME_BYTES];
  if (stack[0] != 2) fail("usage: play FILE.wav ", 22);
  const long file = call(SYS_open, stack[2], O_RDONLY, 0);
  if (file < 0) fail("file ", file);
  if (call(SYS_read, file, (long)samples, RIFF_HEADER_BYTES) != RIFF_HEADER_BYTES || samples[0] != 'R') {
    fail("not a RIFF file ", 22);
  }
  const long card = call(SYS_open, (long)"/dev/snd/pcmC0D0p", O_WRONLY, 0);
  if (card < 0) fail("card ", card);
  chooseParameters();
  long error = call(SYS_ioctl, card, SNDRV_PCM_IOCTL_HW_PARAMS, (long)&params);
  if (error < 0) fail("parameters ", error);
  error = call(SYS_ioctl, card, SNDRV_PCM_IOCTL_PREPARE, 0);
  if (error < 0) fail("prepare ", error);
  long frames = 0, size;
  while ((size = call(SYS_read, file, (long)samples, sizeof samples)) > 0) {
    struct snd_xferi transfer = {.buf = samples, .frames = (snd_pcm_uframes_t)(size / FRAME_BYTES)};
    error = call(SYS_ioctl, card, SNDRV_PCM_IOCTL_WRITEI_FRAMES, (long)&transfer);
    if (error == -32) error = call(SYS_ioctl, card, SNDRV_PCM_IOCTL_PREPARE, 0);  // EPIPE: a slow machine
    if (error < 0) fail("write ", error);
    frames += transfer.result;
  }
  error = call(SYS_ioctl, card, SNDRV_PCM_IOCTL_DRAIN, 0);
  if (error < 0) fail("drain ", error);
  print("played ", frames);
  call(SYS_exit_group, 0, 0, 0);
}

__attribute__((naked)) void _start(void) { __asm__("mov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start"); }
