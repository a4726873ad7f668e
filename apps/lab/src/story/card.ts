import type { Guest } from '../guest/guest.js';
import { LabError, LabErrorCode } from '../errors.js';

/** What a guest's own driver made of the network card that it was given. */
export interface CardReport {
  readonly driver: string;
  readonly guestSbdf: string;
  readonly interrupts: readonly Interrupt[];
  readonly pings: { readonly sent: number; readonly received: number };
  /** Of the file fetched by TFTP through the card. */
  readonly sha256: string;
  readonly fetchSeconds: number;
}

export interface Interrupt {
  readonly name: string;
  /** The interrupt controller as Linux names it: `xen-pirq`, `PCI-MSIX-0000:00:05.0` … */
  readonly controller: string;
  readonly count: number;
}

export const pingCount = 10;
const gateway = '10.0.2.2';

/** The link takes a moment to come up. */
const untilAnswered = `for n in $(seq 60); do ping -c 1 -W 1 ${gateway} >/dev/null && exit 0; done; exit 1`;

/** The largest block that fits an Ethernet frame: TFTP costs a round trip a block. */
const tftpBlockBytes = 1468;

/** Brings the guest's only network card up and carries packets and a file through it. */
export async function driveCard(guest: Guest, file: string): Promise<CardReport> {
  await guestRun(guest, 'ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0', 60_000);
  await guestRun(guest, untilAnswered, 180_000);
  const ping = await guest.exec(`ping -c ${pingCount} -W 5 ${gateway}`, { timeoutMs: 120_000 });
  const counts = /(\d+) packets transmitted, (\d+) packets received/.exec(ping.output);
  const started = performance.now();
  await guestRun(guest, `tftp -g -b ${tftpBlockBytes} -r ${file} -l /fetched ${gateway}`, 300_000);
  const fetchSeconds = (performance.now() - started) / 1000;
  const sum = await guestRun(guest, 'sha256sum /fetched', 120_000);
  const device = (await guestRun(guest, 'basename $(readlink /sys/class/net/eth0/device)', 60_000)).trim();
  const driver = await guestRun(guest, 'basename $(readlink /sys/class/net/eth0/device/driver)', 60_000);
  return {
    driver: driver.trim(),
    guestSbdf: device,
    interrupts: parseInterrupts(await guestRun(guest, 'cat /proc/interrupts', 60_000), 'eth0'),
    pings: { sent: Number(counts?.[1] ?? 0), received: Number(counts?.[2] ?? 0) },
    sha256: /^[0-9a-f]{64}/.exec(sum)?.[0] ?? '',
    fetchSeconds,
  };
}

/** The lines of /proc/interrupts that belong to an interface; counts are summed over the processors. */
export function parseInterrupts(text: string, interfaceName: string): Interrupt[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*\d+:((?:\s+\d+)+)\s+(.*?)\s+(\S+)$/.exec(line);
    if (!match?.[3]?.startsWith(interfaceName)) return [];
    const count = (match[1] ?? '')
      .trim()
      .split(/\s+/)
      .map(Number)
      .reduce((sum, n) => sum + n, 0);
    return [{ name: match[3], controller: match[2] ?? '', count }];
  });
}

/** A command in the guest that has to succeed. */
export async function guestRun(guest: Guest, command: string, timeoutMs: number): Promise<string> {
  const { exitCode, output } = await guest.exec(command, { timeoutMs });
  if (exitCode === 0) return output;
  const message = `"${command}" failed in guest ${guest.name} with exit code ${exitCode}:\n${output}`;
  throw new LabError(LabErrorCode.execFailed, message, { consoles: guest.consoles() });
}
