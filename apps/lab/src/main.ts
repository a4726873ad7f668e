#!/usr/bin/env node
import { Command, Option } from 'commander';
import { Lab } from './lab.js';
import { LabError } from './errors.js';
import { missingHostPackages } from './host/packages.js';
import { ensureImage, type Progress } from './image/build.js';
import { fetchQemus } from './image/qemus.js';
import { findProfile, profiles, systemdProfiles } from './profile.js';
import { runShell } from './shell.js';

/** Steps go to standard error, so that standard output is the command's alone. */
function showProgress({ step, elapsedMs }: Progress): void {
  process.stderr.write(`${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${step}\n`);
}

function checkHost(): void {
  const missing = missingHostPackages();
  if (missing.length === 0) return;
  const lines = missing.map((entry) => `  ${entry.package.padEnd(24)} ${entry.why}\n`).join('');
  const names = missing.map((entry) => entry.package).join(' ');
  process.stderr.write(
    `This host lacks:\n${lines}Install them:  sudo apt-get install --no-install-recommends ${names}\n`,
  );
  process.exit(exitCodes.hostIncomplete);
}

const exitCodes = { failure: 1, hostIncomplete: 3 };

function command(program: Command, name: string, description: string): Command {
  const names = [...profiles, ...systemdProfiles].map((profile) => profile.name);
  const profile = new Option('-p, --profile <name>', 'kind of host').choices(names).default(profiles.at(-1)?.name);
  return program.command(name).description(description).addOption(profile).hook('preAction', checkHost);
}

function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => controller.abort(new Error(`interrupted by ${signal}`)));
  }
  return controller.signal;
}

const program = new Command('xenpt-lab').description('A real Xen host with an IOMMU, in an emulated machine.');

command(program, 'shell', 'boot a Xen host and open a shell in its dom0')
  .option('--no-iommu', 'a machine without an IOMMU')
  .action(async (options: { profile: string; iommu: boolean }) => {
    const { profile, iommu } = options;
    await using lab = await Lab.boot({ profile, iommu, signal: interruptible(), onProgress: showProgress });
    process.exitCode = await runShell(lab);
  });

command(program, 'exec', 'boot a Xen host, run one command in its dom0, and end with its exit code')
  .argument('<command...>', 'after --')
  .option('--timeout <seconds>', 'for the command', '120')
  .action(async (words: string[], options: { profile: string; timeout: string }) => {
    const signal = interruptible();
    await using lab = await Lab.boot({ profile: options.profile, signal, onProgress: showProgress });
    const { exitCode } = await lab.exec(words.join(' '), {
      signal,
      timeoutMs: Number(options.timeout) * 1000,
      onOutput: (stream, text) => process[stream].write(text),
    });
    process.exitCode = exitCode;
  });

command(program, 'build-image', "build a profile's image, unless the cache has it").action(
  async (options: { profile: string }) => {
    const profile = findProfile(options.profile);
    const image = await ensureImage({ profile, signal: interruptible(), onProgress: showProgress });
    process.stdout.write(`${image.directory}\n`);
  },
);

program
  .command('fetch-qemus')
  .description('QEMU as each Debian has it, for tests of its clients; from the cache if it has them')
  .hook('preAction', checkHost)
  .action(async () => {
    for (const { suite, directory, failure } of await fetchQemus({ onProgress: showProgress })) {
      if (failure === undefined) process.stdout.write(`${suite}: ${directory}\n`);
      else {
        process.stderr.write(`${suite}: ${failure.message}\n`);
        process.exitCode = exitCodes.failure;
      }
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  const text = error instanceof LabError ? `${error.code}: ${error.message}` : String((error as Error).stack);
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCodes.failure;
}
