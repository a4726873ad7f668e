import { GrammarError } from './grammar-error.js';
import type { LintFinding } from './lint.js';
import { formatHiddenFunctions, type HiddenFunctions, parseHiddenFunctions } from './lists.js';
import { nearest } from './nearest.js';

/** drivers/xen/xen-pciback, module_param. */
const parameters = ['hide', 'passthrough', 'permissive', 'verbose_request'];
/** The kernel takes `-` and `_` for the same. `xen-pciback.hide=…`; in modprobe.d `options xen-pciback hide=…`. */
const onCommandLine = /(?<![\w.-])(?:xen[-_])?pciback\.(\w+)=([^\s"']*)/g;
const inModprobe = /^\s*options\s+xen[-_]pciback\s/;
const assignment = /(?<=\s)(\w+)=([^\s"']*)/g;

interface Parameter {
  readonly name: string;
  readonly value: string;
  readonly line: number;
  /** Of the name and of the value, from 1. */
  readonly column: number;
  readonly valueColumn: number;
}

/** Checks the parameters of xen-pciback in a kernel command line, GRUB's files and modprobe.d. */
export function lintKernelParameters(text: string): LintFinding[] {
  const rows = text.split('\n').map((row, index) => readRow(row.replace(/^\s*#.*/, ''), index + 1));
  return rows.flatMap((found) => {
    const hides = found.filter(({ name }) => name === 'hide');
    return [...found.flatMap((parameter) => lintParameter(parameter)), ...lintRepeated(hides)];
  });
}

function readRow(row: string, line: number): Parameter[] {
  const matches = [...row.matchAll(inModprobe.test(row) ? assignment : onCommandLine)];
  return matches.map(({ 0: whole, 1: name = '', 2: value = '', index }) => ({
    name,
    value,
    line,
    column: index + 1,
    valueColumn: index + whole.length - value.length + 1,
  }));
}

function lintParameter(parameter: Parameter): LintFinding[] {
  const { name, line, column } = parameter;
  if (name === 'hide') return lintHide(parameter);
  if (parameters.includes(name)) return [];
  const [meant] = nearest(name, parameters);
  return [
    {
      severity: 'error',
      rule: 'parameter-unknown',
      line,
      column,
      message: `xen-pciback has no parameter "${name}", so the kernel ignores it`,
      fix: meant === undefined ? `Its parameters are ${parameters.join(', ')}.` : `Did you mean ${meant}?`,
    },
  ];
}

function lintHide({ value, line, valueColumn }: Parameter): LintFinding[] {
  let hidden: HiddenFunctions[];
  try {
    hidden = parseHiddenFunctions(value);
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    const message = `${error.problem}: the kernel refuses the whole list, and pciback with it`;
    const column = valueColumn + error.column - 1;
    return [{ severity: 'error', rule: 'hide-malformed', line, column, message, fix: error.nextStep }];
  }
  const names = hidden.map((entry) => formatHiddenFunctions([entry]));
  return hidden.flatMap((entry, index) => {
    const at = { line, column: valueColumn + entry.column - 1 };
    const name = names[index] ?? '';
    return [
      ...(entry.short
        ? [
            {
              severity: 'warning' as const,
              rule: 'hide-short',
              ...at,
              message:
                'an address without its segment: the kernel takes it, XAPI cuts it at the wrong place and breaks',
              fix: `Write ${name}.`,
            },
          ]
        : []),
      ...(names.indexOf(name) === index
        ? []
        : [
            {
              severity: 'warning' as const,
              rule: 'hide-twice',
              ...at,
              message: `${name} is in the list twice`,
              fix: 'Remove one of the two.',
            },
          ]),
    ];
  });
}

function lintRepeated(hides: readonly Parameter[]): LintFinding[] {
  return hides.slice(0, -1).map(({ line, column }) => ({
    severity: 'warning',
    rule: 'hide-replaced',
    line,
    column,
    message: 'hide is given again further on, and the last one counts: these devices are not hidden',
    fix: 'Write all devices into one hide=.',
  }));
}
