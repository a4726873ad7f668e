import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Core, CoreError, RegisterFile } from '../src/index.js';
import { debugWasm, releaseWasm } from '../src/wasm.generated.js';
import { packageRoot } from './dist.js';

const modules = { release: releaseWasm, debug: debugWasm };
const compile = (encoded: string): WebAssembly.Module => new WebAssembly.Module(Buffer.from(encoded, 'base64'));

describe('the embedded modules', () => {
  test('are those of assembly/', () => {
    const run = () => execFileSync(process.execPath, ['scripts/embed-wasm.mjs', '--check'], { cwd: packageRoot });
    expect(run).not.toThrow();
  });

  test.each(Object.entries(modules))(
    '%s: small enough for a synchronous start on a browser main thread',
    (_, text) => {
      expect(Buffer.from(text, 'base64').length).toBeLessThan(4096);
    },
  );

  test.each(Object.entries(modules))('%s exports exactly the functions of the Kernels interface', (_, text) => {
    const source = readFileSync(`${packageRoot}src/kernels.ts`, 'utf8');
    const body = /interface Kernels \{(.*?)\n\}/s.exec(source)?.[1] ?? '';
    const declared = [...body.matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1]);
    const functions = WebAssembly.Module.exports(compile(text)).filter((item) => item.kind === 'function');
    expect(functions.map((item) => item.name).sort()).toEqual(declared.sort());
    expect(declared).toHaveLength(24);
  });

  test('release has no assertion left, debug has', () => {
    const imports = (text: string) => WebAssembly.Module.imports(compile(text)).map((item) => item.name);
    expect(imports(releaseWasm)).toEqual(['memory']);
    expect(imports(debugWasm).sort()).toEqual(['abort', 'memory']);
  });

  test('neither holds mutable state of its own: all of it is in the memory', () => {
    for (const text of Object.values(modules)) {
      expect(WebAssembly.Module.exports(compile(text)).filter((item) => item.kind === 'global')).toEqual([]);
    }
  });
});

describe('assertions of the debug build', () => {
  const core = new Core({ build: 'debug' });
  const file = core.allocate(core.kernels.registerFileStorageBytes(8));
  core.kernels.registerFileInitialize(file, 8);

  test.each([
    [
      'a wrong address',
      () => core.kernels.registerFileRead(file + 16, 0, 4, 0),
      /register-file\.ts:\d+:\d+: address/,
    ],
    ['a word outside', () => core.kernels.registerFileShadow(file, 2), /word index is inside the file/],
    ['masks', () => core.kernels.registerFileDefine(file, 0, 1, 0, 2, 0, 0, 0), /shadowWrite is inside virtual/],
    ['a file for a table', () => core.kernels.messageTableRead(file, 0, 4), /message-table\.ts:\d+:\d+: address/],
  ])('%s is a CoreError with place and sentence', (_, run, sentence) => {
    expect(run).toThrow(CoreError);
    expect(run).toThrow(sentence);
    expect(run).toThrow(expect.objectContaining({ code: 'CORE_ASSERTION' }));
  });

  test('the core goes on working after one', () => {
    expect(() => core.kernels.registerFileShadow(file, 99)).toThrow(CoreError);
    expect(new RegisterFile(core, 4).read(0, 4, 5)).toBe(5);
  });
});
