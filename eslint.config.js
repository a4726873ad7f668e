import nx from '@nx/eslint-plugin';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// What a layer may import: itself and the layers named here. The table is the architecture.
const layers = {
  core: [],
  device: ['core'],
  transport: [],
  model: ['core', 'device', 'transport'],
  sdk: ['core', 'device', 'transport', 'model'],
  cli: ['sdk', 'device'],
  lab: [],
};

const noNode = {
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { group: ['node:*'], message: 'This part runs in a browser too: take what you touch as an argument.' },
      ],
    },
  ],
};

const noAmbientState = {
  'no-console': 'error',
  'no-restricted-globals': ['error', { name: 'process', message: 'A library takes what it needs as an argument.' }],
};

export default defineConfig(
  globalIgnores([
    '**/dist/',
    '**/build/',
    '**/*.generated.ts',
    '.nx/',
    'coverage/',
    '**/assembly/',
    '**/fixtures/',
    '**/tsup.config.ts',
    '**/vitest.config.ts',
  ]),
  {
    files: ['{packages,apps}/*/{src,test,scenarios}/**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          banTransitiveDependencies: true,
          depConstraints: Object.entries(layers).map(([layer, below]) => ({
            sourceTag: `layer:${layer}`,
            onlyDependOnLibsWithTags: [layer, ...below].map((name) => `layer:${name}`),
          })),
        },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  { files: ['packages/*/src/**/*.ts'], rules: noAmbientState },
  {
    files: ['packages/core-wasm/src/**/*.ts'],
    ignores: ['packages/core-wasm/src/worker*.ts'],
    rules: noNode,
  },
  { files: ['packages/pci/src/**/*.ts'], ignores: ['packages/pci/src/sysfs/**'], rules: noNode },
  {
    files: ['packages/qmp-sdk/src/**/*.ts'],
    ignores: ['packages/qmp-sdk/src/{xen,node,testing,dirty-rate/node}/**'],
    rules: noNode,
  },
);
