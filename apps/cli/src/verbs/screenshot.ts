import { takeScreenshot } from '@xenpt/qmp-sdk/node';
import { ExitCode } from '../exit-code.js';
import { domainArgument, requireNoMore, socketOption, takeTarget } from '../qmp-target.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';
import { integer, text } from '../json-schema.js';

/** PNG (RFC 2083, 11.2.2): width and height follow the signature, and the length and name of IHDR. */
const WIDTH_OFFSET = 16;
const HEADER_BYTES = 24;

export const screenshot: Verb = {
  name: 'screenshot',
  summary: "save what a guest's display shows as a PNG file",
  arguments: [domainArgument],
  options: [
    socketOption,
    { flags: '-o, --output <FILE>', description: 'the file to write, needed' },
    { flags: '--device <ID>', description: 'which display, where there are several' },
    { flags: '--head <N>', description: 'which output of that display' },
  ],
  examples: [
    ['xenpt screenshot web -o shot.png', 'the guest needs a display, such as vga="stdvga"'],
    ['xenpt screenshot --socket /run/vm.qmp -o shot.png', 'of any QEMU'],
  ],
  schema: { output: text, width: integer, height: integer, sizeBytes: integer },
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.busy, ExitCode.timeout, ExitCode.noHypervisor],
  run: async (context, words, options) => {
    const { output, device, head } = options;
    if (typeof output !== 'string') throw new UsageError('no file to write', 'Add -o shot.png.');
    if (typeof head === 'string' && !/^\d{1,3}$/.test(head)) {
      throw new UsageError(`--head ${head}: not a number`, 'Write --head 0.');
    }
    const { target, rest } = takeTarget(context, words, options, { passFds: true });
    requireNoMore(rest);
    const image = await target.use((client) =>
      takeScreenshot(client, {
        ...(typeof device === 'string' ? { device } : {}),
        ...(typeof head === 'string' ? { head: Number(head) } : {}),
      }),
    );
    context.io.writeFile(output, image);
    const { width, height } = sizeOf(image);
    const json = { output, width, height, sizeBytes: image.length };
    return { json, text: `${output}: ${width} x ${height}` };
  },
};

function sizeOf(image: Uint8Array): { width: number; height: number } {
  if (image.length < HEADER_BYTES) return { width: 0, height: 0 };
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  return { width: view.getUint32(WIDTH_OFFSET), height: view.getUint32(WIDTH_OFFSET + 4) };
}
