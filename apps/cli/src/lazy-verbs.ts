import type { Verb } from './verb.js';

/** Where each verb is, so that a command line loads one of them; one that is not named here is found all the same. */
const loaders: Readonly<Record<string, () => Promise<Verb>>> = {
  list: async () => (await import('./verbs/list.js')).list,
  show: async () => (await import('./verbs/show.js')).show,
  tree: async () => (await import('./verbs/tree.js')).tree,
  doctor: async () => (await import('./verbs/doctor.js')).doctor,
  explain: async () => (await import('./verbs/explain.js')).explain,
  fit: async () => (await import('./verbs/fit.js')).fit,
  bundle: async () => (await import('./verbs/bundle.js')).bundle,
  'assignable list': async () => (await import('./verbs/assignable-list.js')).assignableList,
  'assignable add': async () => (await import('./verbs/assignable-add.js')).assignableAdd,
  'assignable remove': async () => (await import('./verbs/assignable-remove.js')).assignableRemove,
  'assignable restore': async () => (await import('./verbs/assignable-restore.js')).assignableRestore,
  'config add': async () => (await import('./verbs/config-add.js')).configAdd,
  'config remove': async () => (await import('./verbs/config-remove.js')).configRemove,
  attach: async () => (await import('./verbs/attach.js')).attach,
  detach: async () => (await import('./verbs/detach.js')).detach,
  'guest-view': async () => (await import('./verbs/guest-view.js')).guestView,
  stats: async () => (await import('./verbs/stats.js')).stats,
  'upgrade-model': async () => (await import('./verbs/upgrade-model.js')).upgradeModel,
  setup: async () => (await import('./verbs/setup.js')).setup,
  'dirty-rate': async () => (await import('./verbs/dirty-rate.js')).dirtyRate,
  devices: async () => (await import('./verbs/devices.js')).devices,
  screenshot: async () => (await import('./verbs/screenshot.js')).screenshot,
  qmp: async () => (await import('./verbs/qmp.js')).qmp,
  'qmp events': async () => (await import('./verbs/qmp-events.js')).qmpEvents,
  'qmp shell': async () => (await import('./verbs/qmp-shell.js')).qmpShell,
  'qmp codegen': async () => (await import('./verbs/qmp-codegen.js')).qmpCodegen,
  schema: async () => (await import('./verbs/schema.js')).schema,
  watch: async () => (await import('./verbs/watch.js')).watch,
  undo: async () => (await import('./verbs/undo.js')).undo,
  lint: async () => (await import('./verbs/lint.js')).lint,
  completion: async () => (await import('./verbs/completion.js')).completion,
  recover: async () => (await import('./verbs/recover.js')).recover,
};

/** Words that stand for a verb: xl's, so that habits and scripts go on working. */
export const aliases: Readonly<Record<string, string>> = {
  'assignable-list': 'assignable list',
  'assignable-add': 'assignable add',
  'assignable-remove': 'assignable remove',
  'pci-assignable-list': 'assignable list',
  'pci-assignable-add': 'assignable add',
  'pci-assignable-remove': 'assignable remove',
  'pci-attach': 'attach',
  'pci-detach': 'detach',
};

/** The command line with an alias at its beginning put into our words. */
export function withoutAlias(argv: readonly string[]): readonly string[] {
  const [first = '', ...rest] = argv;
  return Object.hasOwn(aliases, first) ? [...(aliases[first] ?? '').split(' '), ...rest] : argv;
}

/** The verbs that a command line can mean: one, or all when none of {@link loaders} is named. */
export async function loadVerbs(argv: readonly string[]): Promise<readonly Verb[]> {
  const [first = '', second = ''] = argv;
  const name = [`${first} ${second}`, first].find((words) => Object.hasOwn(loaders, words));
  const load = name === undefined ? undefined : loaders[name];
  return load ? [await load()] : (await import('./verbs/index.js')).verbs;
}

export const lazyNames: readonly string[] = Object.keys(loaders);
