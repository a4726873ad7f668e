import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSbdf, sbdfToNumber } from '@xenpt/pci';
import { XenErrorCode, XenOperationError } from '../errors.js';
import type { Clock, XenHost } from '../host.js';
import { FakeDirtyLogs } from './fake-dirty-logs.js';
import { FakeHypervisor } from './fake-hypervisor.js';
import { FakeModels } from './fake-model.js';
import { FakeProcesses } from './fake-processes.js';
import { FakeStore } from './fake-store.js';
import { type FakeFunction, fakeNetworkCard, FakeSysfs } from './fake-sysfs.js';
import { type FakeDomain, fakeDomain, FakeToolstack } from './fake-toolstack.js';
import { Journal } from './journal.js';

export interface FakeHostOptions {
  readonly functions?: readonly FakeFunction[];
  /** Guests beside dom0; names are `guest5` for domain 5. */
  readonly domains?: readonly FakeDomain[];
  readonly isRoot?: boolean;
  /** False: plain Linux. */
  readonly xen?: boolean;
  /** False: the module is not loaded. */
  readonly pciback?: boolean;
  /** True: systemd is process 1. */
  readonly systemd?: boolean;
}

/** A Xen host in memory and in a temporary folder; `close()` removes the folder. */
export interface FakeHost extends XenHost {
  readonly journal: Journal;
  readonly toolstack: FakeToolstack;
  readonly store: FakeStore;
  readonly sysfs: FakeSysfs;
  readonly models: FakeModels;
  readonly hypervisor: FakeHypervisor;
  readonly dirtyLogs: FakeDirtyLogs;
  readonly processList: FakeProcesses;
  /** Settable: see {@link XenHost.faultPoint}. */
  faultPoint?: (point: string) => void | Promise<void>;
  /** Settable: another one is another boot. */
  bootId: string;
  /** Everything that an operation can leave behind, to compare before and after. */
  dump(): string[];
}

const OUR_PID = 4711;
/** The journal is synced at every step, which a disk takes its time for. */
const MEMORY = '/dev/shm';

/** A clock that nobody waits for: sleeping moves it on. */
export function createFakeClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: (durationMs) => {
      now += durationMs;
      return Promise.resolve();
    },
  };
}

/** A host with one network card and one HVM guest, domain 5, unless `options` say otherwise. */
export function createFakeHost(options: FakeHostOptions = {}): FakeHost {
  const { functions = [fakeNetworkCard], domains = [fakeDomain(5)], xen = true } = options;
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'xenpt-fake-'));
  const journal = new Journal();
  const toolstack = new FakeToolstack(
    journal,
    functions.map(({ sbdf }) => sbdfToNumber(parseSbdf(sbdf))),
  );
  const store = new FakeStore(journal);
  const sysfs = new FakeSysfs(join(folder, 'root'), journal, functions, { pciback: options.pciback ?? true });
  const models = new FakeModels(journal);
  const hypervisor = new FakeHypervisor(toolstack);
  const dirtyLogs = new FakeDirtyLogs(journal, toolstack);
  const processList = new FakeProcesses(OUR_PID);
  for (const domain of [fakeDomain(0, { flags: { hvm: false, paused: false } }), ...domains]) {
    toolstack.domains.set(domain.domid, domain);
    seedDomain(store, domain);
  }
  return {
    journal,
    models,
    dirtyLogs,
    processList,
    sysfs,
    get toolstack() {
      return requireXen(xen, toolstack);
    },
    get store() {
      return requireXen(xen, store);
    },
    runDir: join(folder, 'run'),
    stateDir: join(folder, 'state'),
    bootId: 'b0070000-0000-4000-8000-000000000001',
    wallClock: () => Date.UTC(2026, 10, 22),
    clock: createFakeClock(),
    processes: { pid: OUR_PID, isAlive: (pid) => processList.startedAt(pid) !== null },
    isRoot: options.isRoot ?? true,
    // Real sockets and locks: a `FakeQmp` of `@xenpt/qmp-sdk/testing` may listen there.
    monitors: {
      control: (domid) => join(folder, `qmp-libxl-${domid}`),
      statistics: (domid) => join(folder, `qmp-libxenstat-${domid}`),
      lock: (domid, handle) => join(folder, `userdata-l.${domid}.${handle}.qmp-socket-lock`),
    },
    libxlConfig: {
      file: (domid, handle) => join(folder, `userdata-d.${domid}.${handle}.libxl-json`),
      lock: (domid, handle) => join(folder, `userdata-l.${domid}.${handle}.domain-userdata-lock`),
    },
    services: options.systemd ? { systemctl: (...words) => systemctl(journal, words) } : null,
    modelProgram: {
      nodePath: '/usr/bin/node',
      mainPath: '/usr/lib/node_modules/xenpt/model-main.js',
      runDir: '/run/xenpt',
      logDir: '/var/log/xenpt',
    },
    openDirtyLogCalls: () => requireXen(xen, dirtyLogs).open(),
    hypervisor,
    openHypervisorFacts: () => requireXen(xen, hypervisor),
    connectModel: (domid) => models.connect(domid),
    startModel: (domid, handle) => models.start(domid, handle),
    replaceModel: (domid) => models.replace(domid),
    dump: () => [...toolstack.dump(), ...store.dump(), ...sysfs.dump(), ...models.dump(), ...dirtyLogs.dump()],
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Does nothing but be called. */
function systemctl(journal: Journal, words: readonly string[]): Promise<string> {
  journal.enter('systemctl', ...words);
  return Promise.resolve('');
}

function seedDomain(store: FakeStore, { domid, flags }: FakeDomain): void {
  store.seed({
    [`/local/domain/${domid}/name`]: domid === 0 ? 'Domain-0' : `guest${domid}`,
    [`/local/domain/${domid}/device`]: '',
    '/libxl/pci': '',
    '/local/domain/0/backend': '',
    ...(domid === 0 ? {} : { [`/libxl/${domid}/type`]: flags.hvm ? 'hvm' : 'pv' }),
  });
}

function requireXen<T>(xen: boolean, value: T): T {
  if (xen) return value;
  throw new XenOperationError(XenErrorCode.noXen, 'this system does not run on Xen', {
    next: 'Boot the Xen hypervisor and run this in dom0.',
  });
}
