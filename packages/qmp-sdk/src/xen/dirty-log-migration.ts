import { basename } from 'node:path';
import type { ProcessList, RunningProcess } from './host.js';

/** A process that saves or migrates a domain, with Xen's dirty log. */
export interface Saver {
  readonly pid: number;
  readonly program: string;
}

/** How a toolstack's process that saves a domain is recognised: its program, and the domain in its command line. */
interface SaverRule {
  readonly program: string;
  readonly domid: (words: readonly string[]) => string | undefined;
}

/**
 * - xl and libvirt: libxl starts `libxl-save-helper --save-domain IO_FD RECEIVE_FD DOMID FLAGS CALLBACKS`
 *   (tools/libs/light/libxl_save_callout.c, run_helper). For restoring, the first word is another.
 * - XAPI: `xenguest … -domid DOMID … -mode hvm_save|…` (also `listen`, under emu-manager).
 */
const saverRules: readonly SaverRule[] = [
  { program: 'libxl-save-helper', domid: (words) => (words[1] === '--save-domain' ? words[4] : undefined) },
  { program: 'xenguest', domid: (words) => wordAfter(words, '-domid') },
];

/** The process that saves or migrates this domain now; undefined if there is none that we know of. */
export function findSaver(processes: ProcessList, domid: number): Saver | undefined {
  const text = String(domid);
  for (const { pid, words } of processes.running()) {
    const rule = ruleOf(words);
    if (rule?.domid(words) === text) return { pid, program: rule.program };
  }
  return undefined;
}

function ruleOf(words: RunningProcess['words']): SaverRule | undefined {
  const program = basename(words[0] ?? '');
  return saverRules.find((rule) => rule.program === program);
}

function wordAfter(words: readonly string[], name: string): string | undefined {
  const index = words.indexOf(name);
  return index === -1 ? undefined : words[index + 1];
}
