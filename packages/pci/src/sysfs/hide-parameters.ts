import { join } from 'node:path';

import { GrammarError, parseHiddenFunctions } from '../grammar/index.js';
import type { HideParameter } from '../inventory/host-facts.js';
import { readNames, readOptionalText, type SysfsOptions } from './attributes.js';

/** The kernel takes a dash and an underline for the same, and quotes around a value with blanks. */
const onCommandLine = /(?:^|\s)"?xen[-_]pciback\.hide=("[^"]*"|[^\s"]*)/;
const inOptions = /^\s*options\s+xen[-_]pciback\s+(?:.*\s)?hide=("[^"]*"|\S*)/;

/** What pciback is told to take: on the kernel's command line, and by the files that modprobe reads. */
export function readHideParameters(commandLine: string | null, { sysroot = '/' }: SysfsOptions): HideParameter[] {
  const found: HideParameter[] = [];
  const given = onCommandLine.exec(commandLine ?? '')?.[1];
  if (given !== undefined) found.push(readParameter('kernel command line', given));
  const folder = 'etc/modprobe.d';
  for (const name of readNames(join(sysroot, folder)).sort()) {
    if (!name.endsWith('.conf')) continue;
    for (const line of readOptionalText(join(sysroot, folder, name))?.split('\n') ?? []) {
      const text = inOptions.exec(line)?.[1];
      if (text !== undefined) found.push(readParameter(`/${folder}/${name}`, text));
    }
  }
  return found;
}

function readParameter(source: string, quoted: string): HideParameter {
  const text = quoted.replace(/^"|"$/g, '');
  try {
    return { source, text, functions: parseHiddenFunctions(text), fault: null };
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    const { column, problem, suggestion } = error;
    const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
    return { source, text, functions: [], fault: `column ${column}: ${problem}${meant}` };
  }
}
