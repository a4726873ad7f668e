import type { Verb } from '../verb.js';
import { assignableAdd } from './assignable-add.js';
import { assignableList } from './assignable-list.js';
import { assignableRemove } from './assignable-remove.js';
import { assignableRestore } from './assignable-restore.js';
import { attach } from './attach.js';
import { bundle } from './bundle.js';
import { completion } from './completion.js';
import { configAdd } from './config-add.js';
import { configRemove } from './config-remove.js';
import { detach } from './detach.js';
import { devices } from './devices.js';
import { dirtyRate } from './dirty-rate.js';
import { doctor } from './doctor.js';
import { explain } from './explain.js';
import { fit } from './fit.js';
import { guestView } from './guest-view.js';
import { lint } from './lint.js';
import { list } from './list.js';
import { qmp } from './qmp.js';
import { qmpCodegen } from './qmp-codegen.js';
import { qmpEvents } from './qmp-events.js';
import { qmpShell } from './qmp-shell.js';
import { recover } from './recover.js';
import { schema } from './schema.js';
import { screenshot } from './screenshot.js';
import { setup } from './setup.js';
import { show } from './show.js';
import { stats } from './stats.js';
import { tree } from './tree.js';
import { undo } from './undo.js';
import { upgradeModel } from './upgrade-model.js';
import { watch } from './watch.js';

/** Every verb, in the order of the help. */
export const verbs: readonly Verb[] = [
  list,
  show,
  tree,
  doctor,
  explain,
  fit,
  bundle,
  assignableList,
  assignableAdd,
  assignableRemove,
  assignableRestore,
  attach,
  detach,
  guestView,
  stats,
  upgradeModel,
  setup,
  dirtyRate,
  devices,
  screenshot,
  qmp,
  qmpEvents,
  qmpShell,
  qmpCodegen,
  undo,
  recover,
  configAdd,
  configRemove,
  lint,
  watch,
  completion,
  schema,
];
