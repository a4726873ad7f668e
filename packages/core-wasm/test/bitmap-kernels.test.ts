import { readFileSync } from 'node:fs';
import * as asc from 'assemblyscript/asc';
import { describe, expect, test } from 'vitest';
import { BitmapCore, CoreError, DirtyBitmap } from '../src/index.js';
import { bitmapModuleBytes } from '../src/bitmap-kernels.js';
import { packageRoot } from './dist.js';
import { variants } from './bitmap-model.js';

const SECTION_DATA = 11;

/** The ids of a module's sections. */
function sections(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length;) {
    ids.push(bytes[at++] ?? 0);
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size |= (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    at += size;
  }
  return ids;
}

describe.each(variants)('the module: $build, simd $simd, shared $shared', (variant) => {
  const bytes = bitmapModuleBytes(variant);
  const module = new WebAssembly.Module(bytes);

  test('exports exactly the functions of the BitmapKernels interface', () => {
    const source = readFileSync(`${packageRoot}src/bitmap-kernels.ts`, 'utf8');
    const body = /interface BitmapKernels \{(.*?)\n\}/s.exec(source)?.[1] ?? '';
    const declared = [...body.matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1]);
    const functions = WebAssembly.Module.exports(module).filter((item) => item.kind === 'function');
    expect(functions.map((item) => item.name).sort()).toEqual(declared.sort());
    expect(declared).toHaveLength(13);
  });

  test('brings no data, which each thread would write again into the memory of all', () => {
    expect(sections(bytes)).not.toContain(SECTION_DATA);
  });

  test('asks for the memory, and in the debug build for the way to complain', () => {
    const imports = WebAssembly.Module.imports(module).map((item) => item.name);
    expect(imports.sort()).toEqual(variant.build === 'debug' ? ['assertionFailed', 'memory'] : ['memory']);
  });

  test('is small: a page loads it with everything else', () => {
    expect(bytes.length).toBeLessThan(20_000);
  });
});

test('the shared variant is what the compiler itself makes of the source', async () => {
  const files = new Map<string, Uint8Array | string>();
  const flags = ['--config', 'none', '--runtime', 'stub', '--importMemory', '--initialMemory', '1', '--noAssert'];
  const threads = ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536', '--enable', 'simd'];
  const optimize = ['--optimizeLevel', '1', '--shrinkLevel', '0', '--converge', '--outFile', 'out.wasm'];
  const input = ['assembly/bitmap.ts', ...flags, ...threads, ...optimize, '--baseDir', packageRoot];
  const { error } = await asc.main(input, { writeFile: (path, contents) => void files.set(path, contents) });
  expect(error).toBeNull();
  const [compiled] = [...files.values()];
  const ours = bitmapModuleBytes({ build: 'release', simd: true, shared: true });
  expect(Buffer.from(ours).equals(Buffer.from(compiled as Uint8Array))).toBe(true);
});

describe('assertions of the debug build', () => {
  const core = new BitmapCore({ build: 'debug' });
  const bitmap = DirtyBitmap.allocate(core, 100);

  test.each([
    ['an odd address', () => core.kernels.bitmapCount(bitmap.address + 4, 0, 10), /8-byte boundary/],
    ['a range in the wrong order', () => core.kernels.bitmapCount(bitmap.address, 10, 9), /in order/],
    ['a wrong workspace', () => core.kernels.bitmapRuns(bitmap.address, bitmap.address, 0, 10), /initialized/],
  ])('%s is a CoreError with a sentence', (_, run, sentence) => {
    expect(run).toThrow(CoreError);
    expect(run).toThrow(sentence);
    expect(run).toThrow(expect.objectContaining({ code: 'CORE_ASSERTION' }));
  });
});
