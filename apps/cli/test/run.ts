import { afterEach } from 'vitest';
import type { OpenXenHostOptions } from '@xenpt/qmp-sdk/xen';
import { createFakeHost, type FakeHost, type FakeHostOptions } from '@xenpt/qmp-sdk/xen/testing';
import type { ExitCode } from '../src/exit-code.js';
import { main } from '../src/main.js';

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
}

/** Runs a command line on a fake host that stays open for the next one. */
export async function run(host: FakeHost, line: string, settings: { color?: boolean } = {}): Promise<Run> {
  const opened: OpenXenHostOptions[] = [];
  let stdout = '';
  let stderr = '';
  const exitCode = await main(line.split(' ').filter(Boolean), {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    color: settings.color ?? false,
    version: '0.1.0',
    signal: new AbortController().signal,
    openHost: (options) => {
      opened.push(options);
      return Object.assign(Object.create(host) as FakeHost, { close: () => {} });
    },
  });
  return { exitCode, stdout, stderr, opened };
}

export function parse(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
