// Runs one command after another for the root scripts; output goes straight to the person unless it is captured.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs a command in the repository and resolves to its exit code (128 when a signal ended it).
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{
 *   env?: Record<string, string>,
 *   quiet?: boolean,
 *   stdio?: import('node:child_process').StdioOptions,
 * }} [options]
 *   `quiet` keeps the output back and shows it only when the command fails.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const held = [];
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', ...options.env },
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : (options.stdio ?? 'inherit'),
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => held.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (options.quiet && code !== 0) process.stderr.write(Buffer.concat(held));
      resolve(code ?? 128);
    });
  });
}

/** Like {@link run}, and ends the script with a sentence when the command fails. */
export async function mustRun(command, args, why, options) {
  const code = await run(command, args, options);
  if (code !== 0) {
    process.stderr.write(`\n${why} failed: \`${[command, ...args].join(' ')}\` ended with code ${code}.\n`);
    process.exit(1);
  }
}

/** Says a step, does it, says how long it took. */
export async function step(title, work) {
  const start = performance.now();
  process.stdout.write(`• ${title}\n`);
  const result = await work();
  process.stdout.write(`  ${title}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return result;
}
