import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import type { Lab } from '../../src/lab.js';
import { refusalOf } from '../../src/story/refusal.js';

/**
 * xenpt and xl at the QEMU of one guest with a display, on a lab with xenpt installed; tests in order.
 *
 * @param xlCommands how often xl talks to that QEMU while xenpt does
 */
export function qmpScenarios(lab: () => Lab, { xlCommands }: { readonly xlCommands: number }): void {
  describe('the QEMU of a guest', () => {
    const name = 'screen';
    let guest: Guest;
    let folder: string;

    const run = (command: string) => lab().run(command, { timeoutMs: 180_000 });
    const json = async (command: string) => JSON.parse(await run(`${command} --json`)) as Record<string, unknown>;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'xenpt-qmp-'));
      await run('truncate -s 8M /tmp/screen.img');
      guest = await lab().createGuest({
        name,
        modules: [],
        paused: true,
        // By QEMU, since the other backends need udev, which this dom0 has not.
        extraConfig: [
          'vga="stdvga"',
          'disk=["format=raw,vdev=hdc,access=rw,backendtype=qdisk,target=/tmp/screen.img"]',
        ],
      });
      await guest.unpause();
    });
    afterAll(async () => {
      await guest?.destroy();
      rmSync(folder, { recursive: true, force: true });
    });

    it('answers commands, with arguments typed by its own schema', async () => {
      expect(await json(`xenpt qmp ${name} query-status`)).toMatchObject({ result: { running: true } });
      expect(await json(`xenpt qmp ${name} qom-list path=/machine`)).toMatchObject({
        result: expect.arrayContaining([expect.objectContaining({ name: 'peripheral' })]) as unknown,
      });
      const text = await run(`xenpt qmp ${name} human-monitor-command command-line="info pci"`);
      expect(text).toMatch(/VGA controller/);
      expect(await refusalOf(lab(), `xenpt qmp ${name} query-staus`)).toMatchObject({
        code: 'QMP_COMMAND',
        next: expect.stringContaining('query-status') as string,
        exitCode: 1,
      });
      expect(await refusalOf(lab(), 'xenpt qmp Domain-0 query-status')).toMatchObject({
        code: 'XENPT_NO_MONITOR',
        exitCode: 3,
      });
    });

    it('lists its devices: emulated, paravirtual, display', async () => {
      const devices = await json(`xenpt devices ${name}`);
      expect(devices).toMatchObject({ domainName: name, domainType: 'hvm', passedThrough: [], notes: [] });
      expect(devices['disks']).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ kind: 'emulated', source: '/tmp/screen.img', sizeBytes: 8 * 2 ** 20 }),
          expect.objectContaining({ kind: 'paravirtual', name: 'hdc', source: '/tmp/screen.img' }),
        ]),
      );
      expect(devices['displays']).toEqual(
        expect.arrayContaining([expect.objectContaining({ kind: 'emulated', details: '1234:1111' })]),
      );
      expect(await run(`xenpt devices ${name}`)).toMatch(/DISK[^]*hdc[^]*DISPLAY[^]*1234:1111/);
    });

    it('takes a picture of its display', async () => {
      const shot = await json(`xenpt screenshot ${name} -o /tmp/shot.png`);
      await lab().pull('/tmp/shot.png', join(folder, 'shot.png'));
      const bytes = readFileSync(join(folder, 'shot.png'));
      expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
      expect(shot).toMatchObject({
        width: bytes.readUInt32BE(16),
        height: bytes.readUInt32BE(20),
        sizeBytes: bytes.length,
      });
      expect(bytes.readUInt32BE(16)).toBeGreaterThanOrEqual(640);
      expect(bytes.readUInt32BE(20)).toBeGreaterThanOrEqual(400);
    });

    it('waits for the lock that xl takes, and xl for ours', async () => {
      const lock = `/var/lib/xen/userdata-l.${guest.domid}.$(cat /tmp/uuid).qmp-socket-lock`;
      await run(`xenstore-read /local/domain/${guest.domid}/vm | sed 's,/vm/,,' >/tmp/uuid`);
      const waited = await run(
        `flock -x ${lock} sleep 3 & sleep 1; start=$(date +%s%N); ` +
          `xl qemu-monitor-command ${name} "info name" >/dev/null || exit 1; ` +
          'echo $(( ($(date +%s%N) - start) / 1000000 )); wait',
      );
      expect(Number(waited)).toBeGreaterThan(1500);
      expect(await run(`ls ${lock} 2>/dev/null | wc -l`)).toBe('0\n');
    });

    it(`${xlCommands} xl commands while xenpt asks without a pause: not one failure on either side`, async () => {
      // One question after the other: what waits in a pipe would have to be answered after the last xl.
      const script = `
        coproc OURS { exec xenpt qmp shell ${name} --json 2>&1; }
        shell=$OURS_PID
        exec 3>&\${OURS[1]} 4<&\${OURS[0]}
        eval "exec \${OURS[1]}>&- \${OURS[0]}<&-"
        rm -f /tmp/enough /tmp/ours /tmp/beside /tmp/said
        (until [ -e /tmp/enough ]; do
          echo query-status >&3 && read -r answer <&4 && echo "$answer" >>/tmp/ours || break
        done) &
        asker=$!
        (until [ -e /tmp/enough ]; do
          xenpt devices ${name} --json >/tmp/beside.txt 2>&1; echo "devices $?"
          tail -n 1 /tmp/beside.txt >>/tmp/said
          xenpt screenshot ${name} -o /tmp/beside.png >/tmp/beside.txt 2>&1; echo "screenshot $?"
          tail -n 1 /tmp/beside.txt >>/tmp/said
        done) >/tmp/beside 3>&- 4<&- &
        beside=$!
        until [ -s /tmp/ours ]; do sleep 0.1; done
        failed=0
        for n in $(seq ${xlCommands}); do
          xl qemu-monitor-command ${name} "info name" >/dev/null || failed=$((failed + 1))
        done
        touch /tmp/enough
        wait $asker $beside
        exec 3>&-
        wait $shell
        echo "$? $failed $(grep -c '"running":true' /tmp/ours) $(grep -vc '"running":true' /tmp/ours)" \
          "$(grep -c ' 0$' /tmp/beside) $(grep -vc ' 0$' /tmp/beside)"`;
      // Each xl waits for its turn at the monitor, and all share dom0's one processor with whoever asks.
      const timeoutMs = 60_000 + xlCommands * 10_000;
      const figures = (await lab().run(script, { timeoutMs })).trim().split(' ').map(Number);
      const [exitCode, failed, answered, errors, beside, besideFailed] = figures;
      console.table([{ xlCommands, failed, answered, errors, devicesAndScreenshots: beside, besideFailed }]);
      const none = { exitCode: 0, failed: 0, errors: 0, besideFailed: 0 };
      expect({ exitCode, failed, errors, besideFailed }, await run('cut -c1-300 /tmp/said')).toEqual(none);
      expect(answered).toBeGreaterThan(xlCommands / 10);
      expect(beside).toBeGreaterThanOrEqual(2);
    });

    it('tells its events over the other monitor, and xl is not locked out', async () => {
      // Events before it is connected are not kept: so again, until it has seen two. (Not `stop`: a guest whose QEMU
      // stands still in the middle of a request may end.)
      const script = `
        xenpt qmp events ${name} POWERDOWN --count 2 >/tmp/events 2>&1 &
        events=$!
        for n in $(seq 300); do
          kill -0 $events 2>/dev/null || break
          xl qemu-monitor-command ${name} system_powerdown >/dev/null || echo "xl failed"
        done
        wait $events
        echo $?; cat /tmp/events`;
      expect(await run(script)).toMatch(/^0\n\S+ POWERDOWN\n\S+ POWERDOWN\n$/);
    });
  });
}
