import { expect } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { refusalOf } from '../../src/story/refusal.js';
import { modelPid } from '../../src/story/release.js';
import type { Setting } from '../../src/story/setting.js';

const gateway = '10.0.2.2';
const payloadPath = '/tmp/fetched';

/** What a kernel says of a card, an interrupt or itself when something went wrong. */
const trouble = /Oops|BUG:|WARNING:|Call Trace|NETDEV WATCHDOG|soft lockup|nobody cared|Hardware Error/;

/**
 * In the guest, until /tmp/stop is there: 20 pings a second and one file after another through the card, and reads of
 * its configuration space, each of which waits for the device model. The longest of them is how long the guest stood
 * still: it has one processor.
 */
function traffic(file: string): string {
  const loops = [
    `ping -i 0.05 -W 300 ${gateway} >/tmp/pings 2>&1 & pings=$!`,
    'while [ ! -e /tmp/stop ]; do',
    `  tftp -g -b 1468 -r ${file} -l ${payloadPath} ${gateway} 2>/dev/null && sha256sum ${payloadPath}`,
    'done >/tmp/sums & fetches=$!',
    'longest=0; reads=0',
    'while [ ! -e /tmp/stop ]; do',
    '  read before rest </proc/uptime',
    '  cat /sys/bus/pci/devices/0000:00:05.0/config >/dev/null',
    '  read after rest </proc/uptime',
    '  stall=$((${after%.*}${after#*.} - ${before%.*}${before#*.}))',
    '  reads=$((reads + 1))',
    '  [ $stall -le $longest ] || longest=$stall',
    '  echo "$reads $longest" >/tmp/stalls',
    '  sleep 0.1',
    'done',
    'wait $fetches',
    'kill -INT $pings; wait $pings',
    'touch /tmp/done',
  ].join('\n');
  // Where Node takes long to start, a processor stands still for so long that Linux reports it; we do that ourselves.
  const quiet = 'echo 0 >/proc/sys/kernel/watchdog; echo 1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress';
  return `${quiet}; rm -f /tmp/stop /tmp/done; (${loops}) >/dev/null 2>&1 &`;
}

/** In dom0: kills the model at a moment of its own, and prints for how many milliseconds nobody served. */
function kill(domid: number, delayMs: number): string {
  const log = `/var/log/xenpt/domain-${domid}.log`;
  return [
    `returns() { grep -c "going on with" ${log}; }`,
    `before=$(returns); pid=$(${modelPid(domid)})`,
    `sleep ${(delayMs / 1000).toFixed(3)}`,
    'at=$(date +%s%N); kill -KILL $pid',
    'while [ $(returns) -eq $before ]; do sleep 0.1; done',
    'echo $((($(date +%s%N) - at) / 1000000))',
  ].join('\n');
}

/** In dom0: stops the model, asks for it, and has it go on. */
async function stopAndAsk({ lab }: Setting, domid: number): Promise<void> {
  const pid = (await lab.run(modelPid(domid))).trim();
  const log = `/var/log/xenpt/domain-${domid}.log`;
  await lab.run(`kill -STOP ${pid}`);
  try {
    for (const command of [`xenpt stats ${domid}`, `xenpt upgrade-model ${domid}`]) {
      const refusal = await refusalOf(lab, command);
      expect(refusal).toMatchObject({ code: 'XENPT_MODEL_STOPPED', exitCode: 9 });
      expect(refusal.message).toBe(`the device model does not answer; its process ${pid} is stopped (T)`);
      expect(refusal.next).toContain(`kill -CONT ${pid}`);
    }
    const { notes } = JSON.parse(await lab.run('xenpt list --json')) as { notes: string[] };
    expect(notes.join()).toContain(`process ${pid} is stopped (T)`);
    await lab.run(`until grep -q "process ${pid} of the device model is stopped" ${log}; do sleep 0.5; done`);
  } finally {
    await lab.run(`kill -CONT ${pid}`);
  }
  const { process, late } = JSON.parse(await lab.run(`xenpt stats ${domid} --json`)) as Stats;
  expect([process.pid, typeof late]).toEqual([Number(pid), 'number']);
}

interface Stats {
  readonly process: { readonly pid: number };
  readonly late: number;
  readonly requests: Readonly<Record<string, number>>;
  readonly latency: { readonly count: number; readonly sumNs: number; readonly longestNs: number };
}

interface Upgraded {
  readonly from: Stats['process'];
  readonly to: Stats['process'];
  readonly pauseMs: number;
}

async function upgrade({ lab }: Setting, domid: number): Promise<number> {
  const before = (await lab.run(modelPid(domid))).trim();
  const document = await lab.run(`xenpt upgrade-model ${domid} --json`, { timeoutMs: 300_000 });
  const { from, to, pauseMs } = (JSON.parse(document) as { upgraded: Upgraded }).upgraded;
  expect([from.pid, to.pid]).toEqual([Number(before), Number(await lab.run(modelPid(domid)))]);
  expect(to.pid).not.toBe(from.pid);
  return pauseMs;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

export interface Restarts {
  readonly kills: number;
  /** Whether it is stopped too, which takes longer. */
  readonly stops: boolean;
}

/**
 * A guest that drives the card goes on while its device model is killed, replaced by another on purpose, and stopped:
 * no packet and no file is lost.
 *
 * @param guest has `eth0` in 00:05.0 up, with an address
 */
export async function surviveKills(setting: Setting, guest: Guest, { kills, stops }: Restarts): Promise<void> {
  const { lab, payload } = setting;
  const run = (command: string) => lab.run(command, { timeoutMs: 300_000 });
  const inGuest = (command: string) => guestRun(guest, command, 300_000);
  const nodeStartMs = Number(await run('at=$(date +%s%N); node -e 0; echo $((($(date +%s%N) - at) / 1000000))'));
  await inGuest(traffic(payload.name));
  const outages: number[] = [];
  for (let round = 0; round < kills; round++) {
    outages.push(Number(await run(kill(guest.domid, Math.random() * 3000))));
  }
  const upgradePauseMs = await upgrade(setting, guest.domid);
  if (stops) await stopAndAsk(setting, guest.domid);
  const stats = JSON.parse(await lab.run(`xenpt stats ${guest.domid} --json`)) as Stats;
  await inGuest('touch /tmp/stop; while [ ! -e /tmp/done ]; do sleep 0.1; done');
  const pings = await inGuest('tail -n 8 /tmp/pings');
  const [reads = 0, longest = 0] = (await inGuest('cat /tmp/stalls')).split(' ').map(Number);
  const sums = (await inGuest('cut -c 1-64 /tmp/sums')).trim().split('\n');
  const sent = Number(/.*seq=(\d+)/s.exec(pings)?.[1]) + 1;
  const received = Number(/(\d+) packets received/.exec(pings)?.[1]);
  const longestStallMs = longest * 10;
  console.table({
    [`${kills} kills`]: {
      pings: `${received} of ${sent}`,
      files: sums.length,
      reads,
      longestStallMs,
      nodeStarts: (longestStallMs / nodeStartMs).toFixed(1),
      nodeStartMs,
      outageMs: `${median(outages)}, at most ${Math.max(...outages)}`,
      upgradePauseMs: Math.round(upgradePauseMs),
      answers: stats.latency.count,
      meanAnswerUs: Math.round(stats.latency.sumNs / stats.latency.count / 1000),
    },
  });
  expect(received).toBe(sent);
  expect(sent).toBeGreaterThan(20 * kills);
  expect(new Set(sums)).toEqual(new Set([payload.sha256]));
  expect((await inGuest('dmesg')).split('\n').filter((line) => trouble.test(line))).toEqual([]);
  expect(outages).toHaveLength(kills);
  // Of the process that went on last.
  expect(stats.requests['config']).toBeGreaterThan(0);
  const metrics = await lab.run(`xenpt stats ${guest.domid} --openmetrics`);
  expect(metrics).toMatch(/^xenpt_model_requests_total\{.*kind="config"\} [1-9]/m);
  expect(metrics.trimEnd().endsWith('# EOF')).toBe(true);
}
