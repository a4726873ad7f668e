import { isUndone, type JournalRecord, planForget, readJournal, undo as undoTransaction } from '@xenpt/qmp-sdk/xen';
import { asks, confirm, yesOption } from '../confirm.js';
import { ExitCode } from '../exit-code.js';
import { formatSetAside, overrideOptions, readOverrides } from '../output/overrides.js';
import { STILL_KEPT } from '../output/persist.js';
import { dryRunOption, formatPlan } from '../output/plan.js';
import { formatTable } from '../output/table.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbContext, VerbOutput } from '../verb.js';
import { undone } from '../output/assignable-schema.js';

export const undo: Verb = {
  name: 'undo',
  summary: 'take back the last assignable add or remove, or one by its id',
  arguments: [{ name: 'ID', description: 'as --list shows it; default: the last one', optional: true }],
  options: [
    { flags: '-l, --list', description: 'show what was done, newest first' },
    ...overrideOptions,
    dryRunOption,
    yesOption,
  ],
  examples: [
    ['xenpt undo', 'the last one since the host was started'],
    ['xenpt undo --list', 'what was done to which device, when, and with which overrides'],
    ['xenpt undo 12 -N', 'what would be written to undo number 12'],
  ],
  schema: {},
  optionalSchema: undone,
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.refused,
    ExitCode.busy,
    ExitCode.rolledBack,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async (context, [id], options) => {
    if (options['list'] === true) {
      if (id !== undefined) throw new UsageError('--list takes no id', 'See: xenpt undo --list');
      return list(context);
    }
    const dryRun = options['dryRun'] === true;
    const { host, io, signal, onStep, style } = context;
    const wanted = { signal, onStep, overrides: readOverrides(options) };
    if (!dryRun && wanted.overrides.length > 0 && asks(io, options)) {
      const { kind, result } = await undoTransaction(host, id, { ...wanted, dryRun: true });
      const setAside = kind === 'assignable-remove' ? result.setAside : [];
      await confirm(io, options, formatSetAside(result.sbdf, setAside, style));
    }
    const undone = await undoTransaction(host, id, { ...wanted, dryRun });
    const { plan, sbdf, driver } = undone.result;
    if (plan) return { json: { undone: undone.undone, dryRun, plans: [plan] }, text: formatPlan([plan]) };
    const text =
      undone.kind === 'assignable-remove'
        ? `${sbdf} is assignable again`
        : `${sbdf} is ${driver === null ? 'without a driver' : `bound to ${driver.split('/').pop() ?? ''}`} again`;
    const isGivenBack = undone.kind === 'assignable-add';
    const isKept = isGivenBack && planForget(host, [sbdf], { command: context.io.command }).files.length > 0;
    return {
      json: { undone: undone.undone, dryRun, device: undone.result },
      text: `${text} (number ${undone.undone} is undone)`,
      notes: isKept ? [STILL_KEPT] : [],
    };
  },
};

function list({ host, style }: VerbContext): VerbOutput {
  const journal = readJournal(host);
  const transactions = journal.records.toReversed().map((record) => ({
    id: record.id,
    kind: record.kind,
    sbdf: record.sbdf,
    startedAt: record.startedAt,
    state: stateOf(record),
    undoes: record.undoes,
    thisBoot: record.bootId === host.bootId,
    overrides: record.overrides,
    problems: record.problems,
  }));
  const rows = transactions.map(({ id, startedAt, kind, sbdf, state, overrides, thisBoot }) => [
    id,
    startedAt.replace(/\..*/, 'Z'),
    kind.replace('-', ' '),
    sbdf,
    thisBoot ? state : `${state}, earlier boot`,
    overrides.join(' ') || '-',
  ]);
  return {
    json: { transactions },
    text: formatTable(style, ['ID', 'TIME', 'WHAT', 'DEVICE', 'STATE', 'OVERRIDES'], rows),
    notes: journal.damaged.map(({ path, reason }) => `${path} cannot be read: ${reason}.`),
  };

  function stateOf(record: JournalRecord): string {
    return isUndone(journal, record) ? 'undone' : record.state;
  }
}
