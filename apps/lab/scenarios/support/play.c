/* play FILE.wav: plays 16-bit stereo samples on the first sound card by ALSA's own system calls, and prints how many
 * frames the card took: "played FRAMES".
 */
#include "guest.h"

#include <linux/ioctl.h>
#include <sound/asound.h>

enum { RIFF_HEADER_BYTES = 44, FRAME_BYTES = 4, RATE = 48000 };
enum { TOO_SLOW = -5, RAN_DRY = -32, READ_ONLY = 0, WRITE_ONLY = 1 };
/* A third of a second in all: ALSA gives up on a card that is slower than its buffer, and this one is emulated. */
enum { PERIOD_FRAMES = 4096, PERIODS = 4 };

static struct snd_pcm_hw_params parameters;

static void choose(int parameter, unsigned value) {
  struct snd_mask *choice = &parameters.masks[parameter - SNDRV_PCM_HW_PARAM_FIRST_MASK];
  for (unsigned index = 0; index < sizeof choice->bits / 4; index++) choice->bits[index] = 0;
  choice->bits[value / 32] = 1u << (value % 32);
}

static void fix(int parameter, unsigned value) {
  struct snd_interval *interval = &parameters.intervals[parameter - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
  *interval = (struct snd_interval){.min = value, .max = value, .integer = 1};
}

static void choose_parameters(void) {
  for (int mask = 0; mask <= SNDRV_PCM_HW_PARAM_LAST_MASK - SNDRV_PCM_HW_PARAM_FIRST_MASK; mask++)
    for (unsigned index = 0; index < sizeof parameters.masks[0].bits / 4; index++)
      parameters.masks[mask].bits[index] = ~0u;
  for (int index = 0; index <= SNDRV_PCM_HW_PARAM_LAST_INTERVAL - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL; index++)
    parameters.intervals[index] = (struct snd_interval){.max = ~0u};
  choose(SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
  choose(SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
  fix(SNDRV_PCM_HW_PARAM_CHANNELS, 2);
  fix(SNDRV_PCM_HW_PARAM_RATE, RATE);
  fix(SNDRV_PCM_HW_PARAM_PERIOD_SIZE, PERIOD_FRAMES);
  fix(SNDRV_PCM_HW_PARAM_PERIODS, PERIODS);
  parameters.rmask = ~0u;
}

/* The card was too slow for its buffer, or we for the card: it starts again with what comes next. */
static int start_again(word card, long error) {
  if (error != TOO_SLOW && error != RAN_DRY) return 0;
  call(IOCTL, card, SNDRV_PCM_IOCTL_DROP, 0);
  return call(IOCTL, card, SNDRV_PCM_IOCTL_PREPARE, 0) == 0;
}

static void begin(char **arguments) {
  static byte samples[PERIOD_FRAMES * FRAME_BYTES];
  word file = call(OPEN, (word)arguments[1], READ_ONLY, 0);
  word card = call(OPEN, (word) "/dev/snd/pcmC0D0p", WRITE_ONLY, 0);
  if ((long)file < 0) fail("no file", file);
  if ((long)card < 0) fail("no card", card);
  call(READ, file, (word)samples, RIFF_HEADER_BYTES);
  choose_parameters();
  word error = call(IOCTL, card, SNDRV_PCM_IOCTL_HW_PARAMS, (word)&parameters);
  if (error) fail("parameters refused", error);
  if ((error = call(IOCTL, card, SNDRV_PCM_IOCTL_PREPARE, 0))) fail("not prepared", error);
  word frames = 0;
  for (long size; (size = (long)call(READ, file, (word)samples, sizeof samples)) > 0;) {
    struct snd_xferi transfer = {.buf = samples, .frames = (snd_pcm_uframes_t)(size / FRAME_BYTES)};
    error = call(IOCTL, card, SNDRV_PCM_IOCTL_WRITEI_FRAMES, (word)&transfer);
    if (error && !start_again(card, (long)error)) fail("not written", error);
    frames += (word)transfer.result;
  }
  /* Not an error when it fails: the card did not play the rest in the time that it should take. */
  call(IOCTL, card, SNDRV_PCM_IOCTL_DRAIN, 0);
  print("played", &frames, 1);
  leave(0);
  __builtin_unreachable();
}
