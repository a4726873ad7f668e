import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { parseSbdf } from '@xenpt/pci';
import { describe, expect, test } from 'vitest';
import {
  attach,
  type AttachOptions,
  detach,
  forgetDeadDomains,
  type RecoveredDevice,
  recoverDevices,
} from '../../src/xen/index.js';
import { readGrants } from '../../src/xen/grants.js';
import { releaseAfterDeath } from '../../src/xen/release-after-death.js';
import { domainDir, removeDomainDir, runFile } from '../../src/xen/run-dir.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { Qemu } from './guest-qemu.js';
import { CARD, failure, readyHost } from './hosts.js';

const running = fakeDomain(5, { flags: { paused: false } });
const paused = fakeDomain(5, { flags: { paused: true } });
const device = { domain: '5', device: CARD };
const spec = { domain: '5', spec: CARD };

interface Scene {
  readonly host: FakeHost;
  readonly qemu: Qemu | null;
  hadModel: boolean;
}

interface Life {
  readonly title: string;
  readonly domain: typeof running;
  readonly options: AttachOptions;
  readonly leastPoints: number;
}

const lives: readonly Life[] = [
  { title: 'a paused guest', domain: paused, options: spec, leastPoints: 30 },
  { title: 'a running guest, which is told', domain: running, options: spec, leastPoints: 30 },
  { title: "a guest, by QEMU's model", domain: running, options: { ...spec, model: 'qemu' }, leastPoints: 20 },
];

async function sceneOf({ domain }: Life): Promise<Scene> {
  const host = await readyHost({ domains: [domain] });
  return { host, qemu: domain === running ? await Qemu.listen(host) : null, hadModel: false };
}

type Operation = (host: FakeHost) => Promise<unknown>;
const attachWith =
  ({ options }: Life): Operation =>
  (host) =>
    attach(host, options);
const detachIt: Operation = (host) => detach(host, device);

/** Every point of an operation, in order. */
async function pointsOf(scene: Scene, operation: Operation): Promise<string[]> {
  const points: string[] = [];
  scene.host.faultPoint = (point) => void points.push(point);
  await operation(scene.host);
  delete scene.host.faultPoint;
  return points;
}

/** As SIGKILL at the first such point: nothing of it returns any more. What holds a lock of it is dead. */
async function killWhen({ host }: Scene, isIt: (point: string) => boolean, operation: Operation): Promise<FakeHost> {
  const reached = new Promise<void>((resolve) => {
    host.faultPoint = (point) => {
      if (!isIt(point)) return;
      resolve();
      return new Promise(() => {});
    };
  });
  await Promise.race([reached, operation(host).catch(() => undefined)]);
  delete host.faultPoint;
  const processes = { pid: 4712, isAlive: (pid: number) => pid === 4712 };
  return Object.assign(Object.create(host) as FakeHost, { processes });
}

function killAt(scene: Scene, index: number, operation: Operation): Promise<FakeHost> {
  let count = 0;
  return killWhen(scene, () => count++ === index, operation);
}

/** The domain ends. Its model, if there is one, is to clean up once nobody has the lock. */
function destroy(scene: Scene): void {
  const { host } = scene;
  scene.hadModel = host.models.dump().length > 0;
  host.models.kill(5);
  host.models.start = () => Promise.reject(new Error('the domain is gone'));
  host.toolstack.destroyDomain(5);
  host.store.remove('/local/domain/5');
}

/** After the model, or the next command: nothing of a dead domain is left, and nothing of its device. */
async function expectForgotten(scene: Scene, host: FakeHost, before: readonly string[], what: string): Promise<void> {
  if (scene.hadModel) {
    const dead = { domid: 5, handle: running.handle, runDir: host.runDir };
    const { toolstack, store, sysfs, clock, processes } = host;
    await releaseAfterDeath({ ...dead, toolstack, store, sysfs, clock, processes }, [parseSbdf(CARD)]);
    removeDomainDir(host.runDir, 5);
  }
  expect(await forgetDeadDomains(host), what).toEqual([]);
  expect(withoutDomain(host.dump()), what).toEqual(before);
  expect(existsSync(domainDir(host.runDir, 5)), what).toBe(false);
}

/** As before it was destroyed. */
function bringBack({ host }: Scene, { domain }: Life): void {
  delete (host.models as Partial<FakeHost['models']>).start;
  host.toolstack.domains.set(5, domain);
  host.store.seed({ '/local/domain/5/name': 'guest5', '/local/domain/5/device': '' });
}

/** Every pair takes too long: a part, spread over all. */
const stride = 29;

function pairs(first: number, second: number): (readonly [first: number, second: number])[] {
  const all = Array.from({ length: first * second }, (_, n) => [Math.floor(n / second), n % second] as const);
  return all.filter((_, n) => n % stride === 0);
}

const withoutDomain = (dump: readonly string[]): string[] => dump.filter((line) => !line.includes('/local/domain/5'));
const outcomes = (recovered: readonly RecoveredDevice[]): string[] => recovered.map(({ outcome }) => outcome);

/** Nothing of the device, of its model or of QEMU's part in it is left, and the guest can have it again. */
function expectFree({ qemu }: Scene, host: FakeHost, before: readonly string[], what: string): void {
  expect(host.dump(), what).toEqual(before);
  expect([...(qemu?.plugged.keys() ?? [])], what).toEqual([]);
  expect(existsSync(domainDir(host.runDir, 5)), what).toBe(false);
}

describe.each(lives)('$title', (life) => {
  test('an attach that is killed at any step: recover leaves it whole, or nothing of it', async () => {
    const scene = await sceneOf(life);
    const before = scene.host.dump();
    const points = await pointsOf(scene, attachWith(life));
    await detach(scene.host, device);
    expect(points.length).toBeGreaterThanOrEqual(life.leastPoints);
    for (const [index, point] of points.entries()) {
      const revived = await killAt(scene, index, attachWith(life));
      const state = readGrants(revived.runDir, 5)?.devices[0]?.state;
      const recovered = outcomes(await recoverDevices(revived));
      expect(recovered, point).not.toContain('failed');
      if (state === 'attached') {
        expect([point, recovered]).toEqual(['record that it is attached:after', []]);
        await detach(revived, device);
      } else if (state === 'attaching') expect(recovered, point).toContain('taken-back');
      expectFree(scene, revived, before, point);
    }
  });

  test('a detach that is killed at any step: recover takes the rest', async () => {
    const scene = await sceneOf(life);
    const before = scene.host.dump();
    await attach(scene.host, life.options);
    const points = await pointsOf(scene, detachIt);
    expect(points.length).toBeGreaterThanOrEqual(20);
    for (const [index, point] of points.entries()) {
      await attach(scene.host, life.options);
      const revived = await killAt(scene, index, detachIt);
      const state = readGrants(revived.runDir, 5)?.devices[0]?.state;
      const recovered = outcomes(await recoverDevices(revived));
      expect(recovered, point).not.toContain('failed');
      if (state === 'attached') {
        // The guest has been asked, and nothing was taken yet: a detach is what goes on.
        expect(points.indexOf(point)).toBe(0);
        await detach(revived, device);
      }
      expectFree(scene, revived, before, point);
    }
  });

  test('an attach that fails at any call, and is killed at any step of its rollback: nothing is left', async () => {
    const scene = await sceneOf(life);
    const { journal } = scene.host;
    const before = scene.host.dump();
    const first = journal.calls.length;
    await attach(scene.host, life.options);
    const calls = journal.calls.length - first;
    await detach(scene.host, device);
    for (const [failing, undone] of pairs(calls, 14)) {
      journal.failAt(failing);
      let count = 0;
      const isIt = (point: string) => point.startsWith('undo ') && count++ === undone;
      const revived = await killWhen(scene, isIt, attachWith(life));
      journal.failAt(undefined);
      const what = `call ${failing} failed, killed in undo ${undone}`;
      expect(outcomes(await recoverDevices(revived)), what).not.toContain('failed');
      // Some calls may fail without harm.
      if (readGrants(revived.runDir, 5)?.devices[0]?.state === 'attached') await detach(revived, device);
      expectFree(scene, revived, before, what);
    }
  });

  const operations = [
    { name: 'attach', operation: attachWith(life), prepare: () => Promise.resolve() },
    { name: 'detach', operation: detachIt, prepare: (host: FakeHost) => attach(host, life.options) },
  ];

  test.each(operations)('the domain dies at any step of $name: the next command leaves nothing', async (one) => {
    const { operation, prepare } = one;
    const scene = await sceneOf(life);
    const before = withoutDomain(scene.host.dump());
    await prepare(scene.host);
    const points = await pointsOf(scene, operation);
    if (operation !== detachIt) await detach(scene.host, device);
    for (const [index, point] of points.entries()) {
      await prepare(scene.host);
      let count = 0;
      scene.host.faultPoint = () => (count++ === index ? destroy(scene) : undefined);
      await operation(scene.host).catch(() => undefined);
      delete scene.host.faultPoint;
      scene.qemu?.plugged.clear();
      await expectForgotten(scene, scene.host, before, point);
      bringBack(scene, life);
    }
  });

  test.each(operations)('$name is killed, and the domain dies at any step of the recovery', async (one) => {
    const { operation, prepare } = one;
    const scene = await sceneOf(life);
    const before = withoutDomain(scene.host.dump());
    await prepare(scene.host);
    const points = await pointsOf(scene, operation);
    if (operation !== detachIt) await detach(scene.host, device);
    for (const [index, death] of pairs(points.length, 32)) {
      await prepare(scene.host);
      const revived = await killAt(scene, index, operation);
      let count = 0;
      revived.faultPoint = () => (count++ === death ? destroy(scene) : undefined);
      await recoverDevices(revived);
      delete revived.faultPoint;
      if (count <= death) destroy(scene);
      scene.qemu?.plugged.clear();
      await expectForgotten(scene, revived, before, `${points[index]}, then death at ${death}`);
      bringBack(scene, life);
    }
  });
});

test('what is whole is left alone, and so is an empty host; a folder without anything goes', async () => {
  const host = await readyHost();
  expect(await recoverDevices(host)).toEqual([]);
  await attach(host, spec);
  const before = host.dump();
  expect(await recoverDevices(host)).toEqual([]);
  expect(host.dump()).toEqual(before);
  await detach(host, device);
  mkdirSync(domainDir(host.runDir, 5), { mode: 0o700 });
  expect(await recoverDevices(host)).toEqual([]);
  expect(existsSync(domainDir(host.runDir, 5))).toBe(false);
});

test('an attach at work is waited for', async () => {
  const host = await readyHost();
  const start = host.models.start.bind(host.models);
  let go = () => {};
  host.models.start = async (domid, handle) => {
    await new Promise<void>((resolve) => (go = resolve));
    return start(domid, handle);
  };
  const attached = attach(host, spec);
  await new Promise((resolve) => setTimeout(resolve, 10));
  const waits = { now: () => 0, sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 1)) };
  const other = Object.assign(Object.create(host) as FakeHost, { clock: waits });
  const recovered = recoverDevices(other);
  go();
  await attached;
  expect(await recovered).toEqual([]);
  expect(await detach(host, device)).toMatchObject({ complete: true });
});

test('a guest that keeps what it was told of has a next step; a model that was killed too', async () => {
  const life = lives[1];
  if (!life) throw new Error('no life of a running guest');
  const scene = await sceneOf(life);
  const points = await pointsOf(await sceneOf(life), attachWith(life));
  const revived = await killAt(scene, points.indexOf('announce it to the guest:after'), attachWith(life));
  if (scene.qemu) scene.qemu.answer = 'refuses';
  const [kept] = await recoverDevices(revived);
  expect(kept).toMatchObject({ domid: 5, sbdf: CARD, outcome: 'failed' });
  expect(kept?.sentence).toMatch(/still has .*--without-guest/);
  expect((await failure(attach(revived, spec))).next).toBe('Run: xenpt recover');
  // Of one that was killed with its device: what it had mapped stays with the guest until that ends.
  writeFileSync(runFile.modelLock(revived.runDir, 5), '711');
  revived.models.kill(5);
  const [reserved] = await recoverDevices(revived);
  expect(reserved).toMatchObject({ outcome: 'failed' });
  expect(reserved?.sentence).toMatch(/xl destroy 5/);
});
