#!/usr/bin/env node
// Committed, so that npm can link it before the first build. What needs no more than this file is answered here.
import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import module from 'node:module';
import v8 from 'node:v8';

/**
 * Over in less than a second, most of which Node would spend on finding forty files: they have programs of their own,
 * each in one file. No option of V8 comes with them: with one that Node was not built with, V8 rejects the compiled
 * code that Node carries of its own modules.
 */
const programs = {
  inventory: ['list', 'show', 'tree', 'doctor', 'fit'],
  'guest-devices': ['attach', 'detach', 'devices'],
};
const [first, ...rest] = process.argv.slice(2);
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version}\n`);
} else {
  enableCompileCache();
  const program = Object.keys(programs).find((name) => programs[name].includes(first)) ?? 'main';
  const { runProcess } = await import(`../dist/${program}.js`);
  // Optimised code would be ready when the program ends.
  if (program === 'inventory') v8.setFlagsFromString('--no-opt');
  await runProcess();
}

/**
 * Keeps compiled code between runs, from Node 22 on. Never in /tmp, Node's own choice: who could write there before us
 * could run code as root.
 */
function enableCompileCache() {
  if (typeof module.enableCompileCache !== 'function') return;
  const isRoot = process.geteuid?.() === 0;
  const base = isRoot
    ? '/var/cache'
    : (process.env.XDG_CACHE_HOME ?? (process.env.HOME && `${process.env.HOME}/.cache`));
  if (!base?.startsWith('/')) return;
  try {
    mkdirSync(`${base}/xenpt`, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(`${base}/xenpt`);
    if (uid === process.geteuid?.() && (mode & 0o022) === 0) module.enableCompileCache(`${base}/xenpt`);
  } catch {
    // A start without a cache is slower, nothing else.
  }
}
