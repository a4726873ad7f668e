import { guestProgramScript } from './guest-program.js';

const gateway = '10.0.2.2';
const bytesPerSecond = 48_000 * 4;
const soundSeconds = 1;

/** The header of a RIFF file of 16-bit stereo samples (Multimedia Programming Interface 1.0, 3). */
function waveHeader(dataBytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(48_000, 24);
  header.writeUInt32LE(bytesPerSecond, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/** Of a shell script, in the guest's PATH. */
function tool(name: string, ...lines: readonly string[]): string[] {
  return [`cat >/bin/${name} <<'END'`, '#!/bin/sh', ...lines, 'END', `chmod +x /bin/${name}`];
}

/**
 * A guest's script (`createGuest({ script })`) with what the scenarios of interrupts call there:
 * - `bring-up SLOT N`: the network card in 00:SLOT.0 has the address 10.0.2.N, and its gateway answers;
 * - `make-sound`: a second of sound is played;
 * - `load MODULE [PARAMETER…]`: a driver of the image is loaded, with what it needs;
 * - `traffic SECONDS SLOT…`: large pings through these network cards while sounds are played and every interrupt of
 *   theirs is moved from one processor to the other and back; prints what ping says.
 */
export function interruptToolsScript(): string {
  const dataBytes = bytesPerSecond * soundSeconds;
  return [
    ...guestProgramScript('play'),
    `(echo ${waveHeader(dataBytes).toString('base64')} | base64 -d; head -c ${dataBytes} /bin/busybox) >/sound.wav`,
    ...tool(
      'bring-up',
      'name=$(ls /sys/bus/pci/devices/0000:00:0$1.0/net)',
      'ip link set $name up',
      'ip addr add 10.0.2.$2/24 dev $name 2>/dev/null',
      `for n in $(seq 60); do ping -c 1 -W 1 -I $name ${gateway} >/dev/null && exit 0; done`,
      'exit 1',
    ),
    ...tool(
      'make-sound',
      'for n in $(seq 100); do [ -e /dev/snd/pcmC0D0p ] && break; sleep 0.1; done',
      'play /sound.wav',
    ),
    ...tool(
      'load',
      'module=$1; shift',
      'for file in /modules/$module/*.ko; do',
      '  parameters=; name=$(basename $file .ko | cut -c4-)',
      '  [ $name = $module ] && parameters="$*"',
      '  insmod $file $parameters 2>/dev/null || [ -d /sys/module/$name ] || exit 1',
      'done',
    ),
    ...tool(
      'traffic',
      'seconds=$1; shift',
      'pids=',
      'for slot; do',
      '  name=$(ls /sys/bus/pci/devices/0000:00:0$slot.0/net)',
      `  ping -I $name -s 1400 -i 0.2 -c $((5 * seconds)) -W 20 ${gateway} >/tmp/ping-$slot 2>&1 &`,
      '  pids="$pids $!"',
      'done',
      'mask=1; rounds=0',
      'while kill -0 $pids 2>/dev/null; do',
      '  play /sound.wav || exit 1',
      '  mask=$((3 - mask)); rounds=$((rounds + 1))',
      "  for irq in $(sed -n 's/^ *\\([0-9]*\\):.*\\(eth\\|snd_hda\\).*/\\1/p' /proc/interrupts); do",
      '    echo $mask >/proc/irq/$irq/smp_affinity',
      '  done',
      'done',
      'wait $pids',
      'for slot; do tail -n 2 /tmp/ping-$slot; done',
      'echo "$rounds sounds"; grep -E "eth|snd_hda" /proc/interrupts',
    ),
    '',
  ].join('\n');
}
