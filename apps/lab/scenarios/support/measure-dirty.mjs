// In dom0: `node measure-dirty.mjs DOMAIN SAMPLES INTERVAL_MS FIRST+COUNT,…`, with the SDK as installed. Prints a JSON
// document per line: {open}, then each interval with what is dirty inside and outside those guest frames, then {error}
// if there was one, and {closed}. `measure-dirty.mjs probe DOMID` prints whether dirty logging is on: Xen refuses to
// switch it on then.
import { argv, exit, stdout } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { openDirtyLog, openXenHost } from '@xenpt/qmp-sdk/xen';
import { DirtyLogControl } from '@xenpt/xen-bindings';

const print = (document) => stdout.write(`${JSON.stringify(document)}\n`);

/** Set bits of the first `sizeBytes` bytes. Most are 0, and dom0 is slow. */
function countAll(map, sizeBytes) {
  let count = 0;
  for (const byte of map.subarray(0, sizeBytes)) {
    for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  }
  return count;
}

/** Set bits in ranges of frames: [first, count]. */
function countIn(map, ranges) {
  let count = 0;
  for (const [first, length] of ranges) {
    for (let frame = first; frame < first + length; frame += 1) count += (map[frame >> 3] >> (frame & 7)) & 1;
  }
  return count;
}

async function measure(domain, samples, intervalMs, ranges) {
  const host = openXenHost();
  let log;
  try {
    log = await openDirtyLog(host, { domain });
    print({ open: log.domid, type: log.domainType, pageCount: log.pageCount, sizeBytes: log.sizeBytes });
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
    const map = new Uint8Array(memory.buffer, 64);
    let last = log.clean(map);
    for (let sample = 0; sample < samples; sample += 1) {
      await setTimeout(intervalMs);
      const startMs = performance.now();
      const scan = log.clean(map);
      const scanMs = performance.now() - startMs;
      const inside = countIn(map, ranges);
      const outside = countAll(map, scan.sizeBytes) - inside;
      const { faultCount, dirtyCount } = scan;
      print({ ms: scan.atMs - last.atMs, scanMs, inside, outside, faultCount, dirtyCount });
      last = scan;
    }
  } catch (error) {
    print({ error: error.code, message: error.message, next: error.next });
    return 1;
  } finally {
    await log?.close();
    print({ closed: true });
    host.close();
  }
  return 0;
}

function probe(domid) {
  const control = DirtyLogControl.open();
  try {
    control.enable(domid);
  } catch (error) {
    print({ on: error.errnoName === 'EINVAL', message: error.message });
    return;
  }
  control.disable(domid);
  print({ on: false });
}

const [, , first = '', second = '', intervalText = '1000', rangesText = ''] = argv;
if (first === 'probe') {
  probe(Number(second));
} else {
  const ranges = rangesText
    .split(',')
    .filter(Boolean)
    .map((text) => text.split('+').map(Number));
  exit(await measure(first, Number(second), Number(intervalText), ranges));
}
