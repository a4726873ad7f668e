import { type LintFinding, type LintKind, lintKinds } from '@xenpt/pci/grammar';
import { type LintedFile, lintFiles, lintHost } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { integer, list, object, oneOf, text } from '../json-schema.js';
import type { Style } from '../output/style.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbOptionValues } from '../verb.js';

export const lint: Verb = {
  name: 'lint',
  summary: 'check what names PCI devices: kernel command line, xl.cfg, other-config, libvirt XML',
  arguments: [
    {
      name: 'FILE',
      description: 'default: those of this host, /etc/xen/*.cfg and the like',
      variadic: true,
      optional: true,
    },
  ],
  options: [
    { flags: '--as <KIND>', description: `what the files are: ${lintKinds.join(', ')}; default: by content` },
  ],
  sysroot: true,
  examples: [
    ['xenpt lint', 'before a restart: everything on this host'],
    ['xenpt lint web.cfg', 'one guest, with line and column'],
    ['xenpt lint --json /proc/cmdline', 'for a script; ends with 1 when there is an error'],
  ],
  schema: {
    files: list(
      object({
        path: text,
        kind: oneOf(...lintKinds),
        findings: list(
          object({
            severity: oneOf('error', 'warning'),
            rule: { ...text, description: 'Stable.' },
            line: integer,
            column: integer,
            message: text,
            fix: text,
          }),
        ),
      }),
    ),
  },
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, style }, paths, options) => {
    const kind = kindOf(options['as']);
    const files = paths.length > 0 ? lintFiles(paths, kind) : lintHost(host);
    const errors = files.flatMap(({ findings }) => findings).filter(({ severity }) => severity === 'error');
    const names = files.map(({ path }) => path).join(', ');
    return {
      json: { files },
      text:
        files.flatMap((file) => file.findings.map((finding) => format(file, finding, style))).join('\n') ||
        'Nothing is wrong.',
      notes: [`Looked at ${names || 'nothing: no such file is on this host'}.`],
      exitCode: errors.length === 0 ? ExitCode.ok : ExitCode.failed,
    };
  },
};

function kindOf(text: VerbOptionValues[string]): LintKind | undefined {
  if (typeof text !== 'string') return undefined;
  const kind = lintKinds.find((name) => name === text);
  if (kind) return kind;
  throw new UsageError(`there is no kind "${text}"`, `The kinds are ${lintKinds.join(', ')}.`);
}

/** As compilers do, so that editors find the place. */
function format(
  { path }: LintedFile,
  { line, column, severity, rule, message, fix }: LintFinding,
  style: Style,
): string {
  const colour = severity === 'error' ? style.error : style.warning;
  return `${path}:${line}:${column}: ${colour(severity)}: ${message} [${rule}]\n    ${fix}`;
}
