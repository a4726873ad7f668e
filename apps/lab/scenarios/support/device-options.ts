import { expect } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import type { Setting } from '../../src/story/setting.js';

const romPath = '/tmp/card.rom';
const romBlocks = 3;

/** An EFI image, so that no firmware starts it; every byte of its code says where it stands. */
function romImage(): Buffer {
  const image = Buffer.from(Array.from({ length: romBlocks * 512 }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
  image.writeUInt16LE(0xaa55, 0);
  image.writeUInt16LE(0x1c, 0x18);
  image.write('PCIR', 0x1c);
  image.writeUInt16LE(0x8086, 0x20);
  image.writeUInt16LE(0x10d3, 0x22);
  // Linux from 6.12.107 on believes no data structure whose own length leads out of the ROM, and says nothing.
  image.writeUInt16LE(0x18, 0x26);
  image.writeUInt16LE(romBlocks, 0x2c);
  image[0x30] = 3;
  image[0x31] = 0x80;
  return image;
}

/** Half of a byte that the card has for itself; QEMU's e1000e keeps what is written there. */
const allowed = 'device-specific@0x40+0:0xf';
/** Refused at attach, each with the exit code. */
const refused = [
  ['--allow device-specfic@0x40+0:0xf', 'XENPT_OPTION_REFUSED', /Did you mean device-specific@0x40/],
  ['--rom /proc/version', 'XENPT_OPTION_REFUSED', /vendor/],
] as const;

/** Attaches with a field opened and a ROM from a file; what is wrong is refused before anything is touched. */
export async function attachWithOptions({ lab, sbdf }: Setting, guestName: string): Promise<void> {
  await lab.run(`echo ${romImage().toString('base64')} | base64 -d >${romPath}`);
  for (const [options, code, next] of refused) {
    const { stdout } = await lab.exec(`xenpt attach ${guestName} ${sbdf} ${options} --json`);
    const { error } = JSON.parse(stdout) as { error: { code: string; next: string; outcome: string } };
    expect(error, options).toMatchObject({ code, outcome: 'untouched', next: expect.stringMatching(next) as string });
  }
  const text = await lab.run(`xenpt attach ${guestName} ${sbdf} --allow ${allowed} --rom ${romPath}`);
  expect(text).toContain(allowed);
  expect(text).toContain(`${romImage().length} bytes`);
}

/** The guest writes what was opened and what was not, and reads the ROM. */
export async function useOptions({ lab, sbdf }: Setting, guest: Guest): Promise<void> {
  const device = '/sys/bus/pci/devices/0000:00:05.0';
  const before = await lab.run(`setpci -s ${sbdf} 40.w`);
  expect(Number.parseInt(before, 16) & 0xff0f, 'the card as the lab has it').toBe(0);
  await guestRun(guest, `printf '\\377\\377' | dd of=${device}/config bs=1 seek=64 conv=notrunc 2>/dev/null`, 60_000);
  expect((await lab.run(`setpci -s ${sbdf} 40.w`)).trim()).toBe('000f');
  const { view } = JSON.parse(await lab.run(`xenpt guest-view ${sbdf} --json`)) as {
    view: { denied: readonly { offset: number; allow: string | null }[]; opened: Record<string, unknown> };
  };
  expect(view.opened).toMatchObject({ permissive: false, allow: [allowed], rom: 'served' });
  expect(view.denied.filter(({ offset }) => offset >= 0x40 && offset < 0x44)).toEqual([
    expect.objectContaining({ offset: 0x40, allow: 'device-specific@0x40+0:0xf0' }),
    expect.objectContaining({ offset: 0x41, allow: 'device-specific@0x41+0:0xff' }),
  ]);
  const text = await lab.run(`xenpt guest-view ${sbdf} --denied`);
  expect(text).toMatch(/0x41 +device-specific +byte 0 +0xff +1 +device-specific@0x41\+0:0xff/);

  const dump = `echo 1 >${device}/rom && hexdump -v -e '1/1 "%02x"' ${device}/rom`;
  const read = (await guestRun(guest, dump, 60_000)).trim();
  const why = await guestRun(guest, `cat ${device}/resource; uname -r; dmesg | tail -n 4`, 60_000);
  expect(read.startsWith(romImage().toString('hex')), `${read.slice(0, 200)}\n${why}`).toBe(true);
}
