import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const sourceCondition = ['@xenpt/source'];

/** Their tests leave nothing behind in a process, so that its files may share one: that halves their time. */
const sharesProcess = ['device-model', 'cli', 'lab'];

function projectsIn(folder: string) {
  return readdirSync(new URL(folder, import.meta.url)).map((name) => ({
    extends: true as const,
    test: {
      name: folder === 'packages/' ? `@xenpt/${name}` : name === 'lab' ? 'lab-unit' : name,
      root: fileURLToPath(new URL(`${folder}${name}`, import.meta.url)),
      include: ['test/**/*.test.ts'],
      isolate: !sharesProcess.includes(name),
    },
  }));
}

export default defineConfig({
  resolve: { conditions: sourceCondition },
  ssr: { resolve: { conditions: sourceCondition, externalConditions: sourceCondition } },
  test: {
    // The machine is small and shared: a timeout says "hung", never "slow". The longest test takes 90 s beside others.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    projects: [
      { extends: true as const, test: { name: 'repository', include: ['test/**/*.test.ts'] } },
      ...projectsIn('packages/'),
      ...projectsIn('apps/'),
      {
        extends: true as const,
        test: {
          // A real Xen boots here; one file is one boot, its tests run in order.
          name: 'lab',
          root: fileURLToPath(new URL('apps/lab', import.meta.url)),
          include: ['scenarios/**/*.lab.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
});
