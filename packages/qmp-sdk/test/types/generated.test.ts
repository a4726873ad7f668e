import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generateTypes } from '../../src/schema/generate.js';
import { knownNames } from '../../src/types/names.js';
import { snapshots } from '../schema/qemus.js';

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));
const generated = (name: string) => readFileSync(`${packageFolder}/src/types/${name}.generated.ts`, 'utf8');

describe('the generated files', () => {
  it('belong to the snapshots', () => {
    execFileSync(process.execPath, ['scripts/codegen.mjs', '--check'], { cwd: packageFolder });
  });

  it.each([...snapshots])('%s is what anybody generates from that QEMU with our names', (name, { entities }) => {
    const [firstLine = '', ...rest] = generated(name).split('\n');
    const text = generateTypes(entities, { lock: knownNames(), origin: firstLine.slice(3) });
    expect(text.split('\n').slice(1).join('\n')).toBe(rest.join('\n'));
  });

  it('have the commands and events of the schema, each once', () => {
    for (const [name, { table }] of snapshots) {
      const text = generated(name);
      const map = (begin: string) => (text.split(`export interface ${begin} {\n`)[1] ?? '').split('\n}\n')[0] ?? '';
      const keys = (body: string) => [...body.matchAll(/^ {2}'([^']+)':/gm)].map(([, key]) => key);
      const commands = [...keys(map('Commands')), ...keys(map('UnstableCommands'))];
      expect(commands.sort()).toEqual([...table.commands.keys()].sort());
      expect(keys(map('Events'))).toEqual([...table.events.keys()].sort());
      const oob = [...table.commands.values()]
        .filter((command) => command['allow-oob'])
        .map((command) => command.name);
      const marked = [...text.matchAll(/^ {2}'([^']+)': .*oob: true \};$/gm)].map(([, command]) => command);
      expect(marked.sort()).toEqual(oob.sort());
    }
  });
});
