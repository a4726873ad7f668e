import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openLineEditor } from '../src/line-editor.js';

/** Stands for the key; it is three characters. */
const up = '↑';

describe('lines that a person types', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'line-editor-'));
    vi.stubEnv('HOME', home);
    // On a dumb one Node edits nothing.
    vi.stubEnv('TERM', 'xterm');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });

  /** Types `keys`, then Ctrl-D; what came out as lines. */
  async function type(keys: string, isTerminal = true): Promise<string[]> {
    const stdin = Object.assign(new PassThrough(), { isTTY: isTerminal, setRawMode: () => undefined });
    const terminal = { isTTY: true, columns: 80, rows: 24 };
    using editor = openLineEditor(
      { stdin, stdout: () => undefined, terminal },
      {
        prompt: '> ',
        complete: (line) => [['query-status', 'query-stats'].filter((name) => name.startsWith(line)), line],
        history: 'test',
        signal: new AbortController().signal,
      },
    );
    // Key by key, once the editor reads: what comes in one piece is taken as pasted.
    void (async () => {
      for (const key of isTerminal ? [...keys, '\x04'] : [keys]) {
        await new Promise((resolve) => setImmediate(resolve));
        stdin.write(key === up ? '\x1b[A' : key);
      }
      if (!isTerminal) stdin.end();
    })();
    const lines: string[] = [];
    for await (const line of editor) lines.push(line);
    return lines;
  }

  test('Tab completes, and the arrow brings back what was typed in an earlier session', async () => {
    expect(await type('query-statu\t\rquit\r')).toEqual(['query-status', 'quit']);
    const file = join(home, '.local/state/xenpt/test-history');
    expect(readFileSync(file, 'utf8')).toBe('query-status\nquit\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await type(`${up}${up}\r`)).toEqual(['query-status']);
  });

  test('a pipe has no history and no completion', async () => {
    expect(await type('query-status\n', false)).toEqual(['query-status']);
    expect(() => statSync(join(home, '.local'))).toThrow('ENOENT');
  });
});
