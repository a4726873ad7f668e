import { Readable } from 'node:stream';
import { afterEach } from 'vitest';
import type { OpenXenHostOptions, XenHost } from '@xenpt/qmp-sdk/xen';
import { createFakeHost, type FakeHost, type FakeHostOptions } from '@xenpt/qmp-sdk/xen/testing';
import type { ExitCode } from '../src/exit-code.js';
import { readInput } from '../src/input-file.js';
import type { Io } from '../src/io.js';
import { main } from '../src/main.js';
import { checkDocuments } from './schema-check.js';

const open: FakeHost[] = [];
afterEach(() => {
  for (const host of open.splice(0)) host.close();
});

export const CARD = '0000:03:00.0';

export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  const host = createFakeHost(options);
  open.push(host);
  return host;
}

export interface Run {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  readonly opened: readonly OpenXenHostOptions[];
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

export interface RunSettings {
  /** The words of the line, where splitting it at spaces would not do. */
  readonly words?: readonly string[];
  readonly color?: boolean;
  readonly stdin?: string | Uint8Array;
  readonly terminal?: Io['terminal'];
  readonly colorDepth?: number;
  /** Set off: Ctrl-C. */
  readonly signal?: AbortSignal;
  /** A person at the terminal, and the answer; left out: nobody. */
  readonly confirm?: (question: string) => Promise<boolean>;
  readonly statusLine?: (text: string) => void;
  /** Called with each piece of standard output, as it comes. */
  readonly onStdout?: (text: string) => void;
}

/** Runs a command line on a fake host that stays open for the next one. */
export async function run(host: FakeHost, line: string, settings: RunSettings = {}): Promise<Run> {
  return runOn(Object.assign(Object.create(host) as FakeHost, { close: () => {} }), line, settings);
}

/** Runs a command line on any host. What it prints with `--json` is checked against the published schema. */
export async function runOn(host: XenHost, line: string, settings: RunSettings = {}): Promise<Run> {
  const opened: OpenXenHostOptions[] = [];
  const files = new Map<string, string | Uint8Array>();
  let stdout = '';
  let stderr = '';
  const words = settings.words ?? line.split(' ').filter(Boolean);
  const exitCode = await main(words, {
    stdout: (text) => {
      stdout += text;
      settings.onStdout?.(text);
    },
    stderr: (text) => void (stderr += text),
    stdin: Readable.from([settings.stdin ?? '']),
    terminal: settings.terminal,
    confirm: settings.confirm,
    statusLine: settings.statusLine,
    readFile: (path, mostBytes) => readInput(path, Readable.from([settings.stdin ?? '']), mostBytes),
    writeFile: (path, content) => void files.set(path, content),
    color: settings.color ?? false,
    ...(settings.colorDepth === undefined ? {} : { colorDepth: settings.colorDepth }),
    version: '0.1.0',
    command: ['/usr/bin/node', '/usr/bin/xenpt'],
    signal: settings.signal ?? new AbortController().signal,
    openHost: (options) => {
      opened.push(options);
      return host;
    },
  });
  checkDocuments(line, stdout);
  return { exitCode, stdout, stderr, opened, files };
}

export function parse(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
