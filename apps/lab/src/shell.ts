import type { Lab } from './lab.js';

/** Longer than anybody stays. */
const sessionMs = 7 * 24 * 3600 * 1000;

/**
 * A login shell in dom0 on this process's terminal, until it ends. What is typed goes to dom0's second terminal as it
 * is, Ctrl-C included. Resolves with the shell's exit code.
 */
export async function runShell(lab: Lab): Promise<number> {
  const { stdin, stdout } = process;
  const terminal = await lab.openTerminal();
  const size = () => `rows ${stdout.rows ?? 24} columns ${stdout.columns ?? 80}`;
  const resize = () => void lab.exec(`stty -F /dev/hvc1 ${size()}`).catch(() => undefined);
  stdout.write(`Dom0 of ${lab.profile}. The shell's end (exit, or Ctrl-D) is the machine's end.\n`);
  stdin.setRawMode?.(true);
  stdin.pipe(terminal, { end: false });
  terminal.pipe(stdout, { end: false });
  stdout.on('resize', resize);
  try {
    const shell = 'TERM=${LAB_TERM:-linux} setsid --ctty --wait bash --login <>/dev/hvc1 >&0 2>&1';
    const command = `stty -F /dev/hvc1 sane ${size()}; ${shell}`;
    const env = { LAB_TERM: process.env['TERM'] ?? 'linux' };
    const { exitCode } = await lab.exec(command, { timeoutMs: sessionMs, env });
    return exitCode;
  } finally {
    stdout.off('resize', resize);
    stdin.unpipe(terminal);
    stdin.setRawMode?.(false);
    stdin.pause();
    terminal.destroy();
  }
}
