import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { completionScripts } from '../src/completion-scripts.js';
import { CARD, fakeHost, run } from './run.js';

const words = async (host: ReturnType<typeof fakeHost>, line: string) => {
  const { stdout } = await run(host, line);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((row) => row.split('\t')[0]);
};

/** `run` splits at spaces, so an empty last word is a word of its own: `""`. */
const completed = (host: ReturnType<typeof fakeHost>, ...typed: string[]) =>
  words(host, `__complete ${typed.join(' ')}`);

test('verbs, their second words, and the names of xl', async () => {
  const host = fakeHost();
  expect(await completed(host, 'assign')).toEqual([
    'assignable',
    'assignable-list',
    'assignable-add',
    'assignable-remove',
  ]);
  expect(await completed(host, 'assignable', 'r')).toEqual(['remove', 'restore']);
  expect(await completed(host, 'qmp', 'e')).toEqual(['events']);
});

test('options of the verb, by their long names', async () => {
  expect(await completed(fakeHost(), 'undo', '--d')).toEqual(['--dry-run', '--debug']);
  expect(await completed(fakeHost(), 'pci-assignable-add', '--j')).toEqual(['--json']);
});

test('live addresses: what can be taken, what can be given back', async () => {
  const host = fakeHost();
  expect(await completed(host, 'assignable', 'add', '0')).toEqual([CARD]);
  expect(await completed(host, 'assignable', 'add', CARD, '0')).toEqual([]);
  expect(await completed(host, 'assignable', 'remove', '0')).toEqual([]);
  await run(host, 'assignable add 03:00.0');
  expect(await completed(host, 'assignable', 'remove', '0')).toEqual([CARD]);
  expect(await completed(host, 'show', '0000:03')).toEqual([CARD]);
  expect(await completed(host, 'undo', '1')).toEqual(['1']);
});

test('live domains; nothing, and no error, without Xen', async () => {
  expect(await completed(fakeHost(), 'attach', 'guest')).toEqual(['guest5']);
  expect(await completed(fakeHost(), 'attach', 'guest5', '0')).toEqual([]);
  const plain = await run(fakeHost({ xen: false }), '__complete attach g');
  expect(plain).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
});

test("bash's script puts addresses together again, which bash cuts at colons", () => {
  const script = `
    xenpt() { printf '0000:03:00.0\\tcard\\n0000:03:00.1\\tcard\\n' ; printf '%s|' "$@" >&2; echo >&2; }
    ${completionScripts.bash.replace('2>/dev/null', '')}
    COMP_WORDBREAKS=$' \\t\\n"=:'
    COMP_LINE='xenpt show 0000:03' COMP_POINT=18
    _xenpt
    printf '%s\\n' "\${COMPREPLY[@]}"
    COMP_LINE='xenpt show ' COMP_POINT=11
    _xenpt
    printf '%s\\n' "\${COMPREPLY[@]}"
  `;
  const output = execFileSync('bash', ['-c', `{ ${script}\n} 2>&1`], { encoding: 'utf8' });
  expect(output.split('\n')).toEqual([
    '__complete|show|0000:03|',
    '03:00.0',
    '03:00.1',
    '__complete|show||',
    '0000:03:00.0',
    '0000:03:00.1',
    '',
  ]);
});

test.each(['bash', 'zsh', 'fish'])('completion %s prints a script; another shell is wrong usage', async (shell) => {
  expect((await run(fakeHost(), `completion ${shell}`)).stdout).toContain('xenpt __complete');
  expect(await run(fakeHost(), 'completion tcsh')).toMatchObject({ exitCode: 2, stdout: '' });
});
