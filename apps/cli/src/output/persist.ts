import type { PersistPlan } from '@xenpt/qmp-sdk/xen';
import { list, object, text, textOrNull } from '../json-schema.js';
import type { VerbOption } from '../verb.js';

export const persistOption: VerbOption = {
  flags: '--persist',
  description:
    'over restarts too, by what the device is, not by its address; the files are shown before they are written',
};

export const persistedFiles = {
  files: list(object({ path: text, content: { ...textOrNull, description: 'null: it is removed.' } })),
} as const;

/** What would stand in which file, as it would stand there. */
export function formatFiles({ files }: PersistPlan): string[] {
  return files.flatMap(({ path, content, target }) => {
    if (content === null) return [`${path}: is removed`];
    if (target !== undefined) return [`${path}: a link to ${target}`];
    return [
      `${path}:`,
      ...content
        .trimEnd()
        .split('\n')
        .map((line) => `  | ${line}`.trimEnd()),
    ];
  });
}

export function filesJson({ files }: PersistPlan) {
  return files.map(({ path, content, target }) => ({ path, content, ...(target === undefined ? {} : { target }) }));
}

/** What is given back now, and comes again. */
export const STILL_KEPT = 'It is made assignable again after a restart; assignable remove --persist ends that.';

/** After they were written. */
export function describeWritten({ files }: PersistPlan): string[] {
  return files.map(({ path, content }) => `${path} is ${content === null ? 'removed' : 'written'}`);
}
