import { completionScripts, type Shell } from '../completion-scripts.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';
import { text } from '../json-schema.js';

const shells = Object.keys(completionScripts) as Shell[];

export const completion: Verb = {
  name: 'completion',
  summary: 'print what makes a shell complete verbs, options, addresses and domains',
  arguments: [{ name: 'SHELL', description: shells.join(', ') }],
  examples: [
    ['source <(xenpt completion bash)', 'in ~/.bashrc; or into /etc/bash_completion.d/xenpt'],
    ['xenpt completion zsh >/usr/share/zsh/site-functions/_xenpt', 'for everybody'],
    ['xenpt completion fish >~/.config/fish/completions/xenpt.fish', ''],
  ],
  schema: { shell: text, script: text },
  exitCodes: [],
  run: (_context, [name = '']) => {
    const shell = shells.find((known) => known === name);
    if (shell === undefined)
      throw new UsageError(`no completion for "${name}"`, `There is one for ${shells.join(', ')}.`);
    const script = completionScripts[shell];
    return { json: { shell, script }, text: script.trimEnd() };
  },
};
