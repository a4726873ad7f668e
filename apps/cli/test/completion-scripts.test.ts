import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { fakeNetworkCard } from '@xenpt/qmp-sdk/xen/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completionScripts } from '../src/completion-scripts.js';
import { CARD, fakeHost, run } from './run.js';

// The shells themselves, with the scripts as they are printed. The `xenpt` on their path hands its words to this
// process, which answers for a fake host.

const OTHER = '0000:04:00.0';
const folder = mkdtempSync(join(tmpdir(), 'xenpt-shells-'));
const socket = join(folder, 'words.sock');
const environment = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder, ZDOTDIR: folder, TERM: 'dumb' };
let host: ReturnType<typeof fakeHost>;
let server: Server;

const xenpt = `#!${process.execPath}
const peer = require('node:net').connect(${JSON.stringify(socket)});
peer.write(JSON.stringify(process.argv.slice(2)) + '\\n');
peer.pipe(process.stdout);
`;

beforeAll(async () => {
  writeFileSync(join(folder, 'xenpt'), xenpt, { mode: 0o755 });
  for (const [shell, script] of Object.entries(completionScripts)) writeFileSync(join(folder, shell), script);
  server = createServer((peer) => {
    createInterface(peer).once('line', (line) => {
      void run(host, '', { words: JSON.parse(line) as string[] }).then(({ stdout }) => peer.end(stdout));
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const shell = async (name: string, words: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(name, [...words], { env: environment, cwd: folder, timeout: 60_000 });
  return stdout;
};

const twoCards = () => fakeHost({ functions: [fakeNetworkCard, { sbdf: OTHER, driver: 'pciback' }] });

/** What a line has become after Tab, in a zsh at a terminal of its own. */
async function typedInZsh(lines: readonly string[]): Promise<string[]> {
  const startup = [
    'PS1= PS2= RPS1=; unsetopt zle_bracketed_paste prompt_cr',
    'autoload -Uz compinit; compinit -u -D; source $ZDOTDIR/zsh',
    'show() { print -r -- "<<$BUFFER>>"; zle kill-buffer; }; zle -N show; bindkey "^X" show',
    'print ready',
  ];
  writeFileSync(join(folder, '.zshrc'), startup.join('\n'));
  const driver = [
    'zmodload zsh/zpty; zpty terminal zsh -d -i; zpty -r terminal output "*ready*"',
    "for line; do zpty -w -n terminal $line$'\\t\\C-X'; zpty -r terminal output '*<<*>>*'; print -r -- $output; done",
    'zpty -d terminal',
  ];
  const output = await shell('zsh', ['-f', '-c', driver.join('\n'), 'zsh', ...lines]);
  return [...output.matchAll(/<<(.*)>>/g)].map(([, buffer = '']) => buffer);
}

async function offeredByFish(line: string): Promise<string[]> {
  const output = await shell('fish', ['--no-config', '-c', `source ${folder}/fish; complete -C '${line}'`]);
  return output.split('\n').filter(Boolean);
}

test('zsh: verbs, live addresses with their colons, domains; what two have in common', async () => {
  host = twoCards();
  const lines = [
    'xenpt assignable ad',
    'xenpt show 0000:03',
    'xenpt show 0000:',
    'xenpt pci-attach gue',
    'xenpt attach guest5 ',
    'xenpt undo --li',
  ];
  expect(await typedInZsh(lines)).toEqual([
    'xenpt assignable add ',
    `xenpt show ${CARD} `,
    'xenpt show 0000:0',
    'xenpt pci-attach guest5 ',
    `xenpt attach guest5 ${OTHER} `,
    'xenpt undo --list ',
  ]);
});

test('zsh: an address that was taken meanwhile is offered for the way back', async () => {
  host = fakeHost();
  expect(await typedInZsh(['xenpt assignable remove 0'])).toEqual(['xenpt assignable remove 0']);
  await run(host, 'assignable add 03:00.0');
  expect(await typedInZsh(['xenpt assignable remove 0'])).toEqual([`xenpt assignable remove ${CARD} `]);
});

test('fish: verbs, live addresses and domains, each with what it is', async () => {
  host = twoCards();
  expect(await offeredByFish('xenpt assignable ad')).toEqual([
    'add\ttake devices from their drivers and put them into quarantine, ready for a guest',
  ]);
  expect(await offeredByFish('xenpt show 0000:')).toEqual([
    `${CARD}\tEthernet controller`,
    `${OTHER}\tEthernet controller`,
  ]);
  expect(await offeredByFish('xenpt pci-attach gue')).toEqual(['guest5\tdomain 5']);
  expect(await offeredByFish('xenpt attach guest5 ')).toEqual([`${OTHER}\tEthernet controller`]);
  expect((await offeredByFish('xenpt ')).map((row) => row.split('\t')[0])).toContain('doctor');
  await run(host, 'assignable remove 04:00.0');
  expect(await offeredByFish('xenpt assignable remove 0')).toEqual([]);
  expect(await offeredByFish('xenpt lint words')).toEqual(['words.sock']);
});

test('bash: the words that its own completion finds', async () => {
  host = twoCards();
  const completed = (line: string) => `
    COMP_LINE='${line}' COMP_POINT=${line.length}; _xenpt; printf '%s|' "\${COMPREPLY[@]}"; echo
  `;
  const lines = ['xenpt assignable ad', 'xenpt show 0000:03', 'xenpt attach guest5 '];
  const script = `source ${folder}/bash; COMP_WORDBREAKS=$' \\t\\n"=:'\n${lines.map(completed).join('\n')}`;
  expect(await shell('bash', ['--norc', '-c', script])).toBe(`add|\n03:00.0|\n${OTHER}|\n`);
});
