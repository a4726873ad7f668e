import type { Lab } from '../lab.js';

/** A command of ours that was refused, as `--json` tells it. */
export interface Refusal {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

/** Runs `xenpt … --json` and reads the error that it ends with. A command that succeeds gives code `''`. */
export async function refusalOf(lab: Lab, command: string): Promise<Refusal> {
  const { exitCode, stdout, stderr } = await lab.exec(`${command} --json`, { timeoutMs: 120_000 });
  const document = parseJson(stdout) as { error?: Partial<Refusal> } | undefined;
  const { code = '', message = `${stdout}${stderr}`, next = '' } = document?.error ?? {};
  return { exitCode, code, message, next };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
