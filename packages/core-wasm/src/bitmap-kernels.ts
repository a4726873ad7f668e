import { CoreError, CoreTypeError } from './errors.js';
import { decodeBase64, type Address, type CoreBuild } from './kernels.js';
import { bitmapDebug, bitmapDebugScalar, bitmapRelease, bitmapReleaseScalar } from './wasm.generated.js';

/** Which of the compiled modules an instance is. */
export interface BitmapVariant {
  readonly build: CoreBuild;
  readonly simd: boolean;
  readonly shared: boolean;
}

/** The exports of assembly/bitmap.ts. Pages are u32, relative to the bitmap; results come back signed. */
export interface BitmapKernels {
  bitmapAndNot(target: Address, source: Address, start: number, end: number): void;
  bitmapAny(bitmap: Address, start: number, end: number): number;
  bitmapClear(bitmap: Address, start: number, end: number): void;
  bitmapCount(bitmap: Address, start: number, end: number): number;
  bitmapExtract(workspace: Address, bitmap: Address, start: number, end: number): number;
  bitmapHarvest(from: Address, into: Address, start: number, end: number): number;
  bitmapHarvestAtomic(from: Address, into: Address, start: number, end: number): number;
  bitmapHistogram(workspace: Address, bitmap: Address, start: number, end: number, shift: number): number;
  bitmapInitialize(workspace: Address): void;
  bitmapNextPage(workspace: Address): number;
  bitmapOr(target: Address, source: Address, start: number, end: number): void;
  bitmapRuns(workspace: Address, bitmap: Address, start: number, end: number): number;
  bitmapSet(bitmap: Address, start: number, end: number): void;
}

/** In the order of assembly/bitmap-check.ts's numbers, which start at 1. */
const ASSERTIONS = ['the bitmap is on an 8-byte boundary', 'the range is in order', 'the workspace is initialized'];

const encodedModules = {
  release: { simd: bitmapRelease, scalar: bitmapReleaseScalar },
  debug: { simd: bitmapDebug, scalar: bitmapDebugScalar },
};

/** Compiled once for each variant: a module has no state, its instances in one thread share it. */
const modules = new Map<string, WebAssembly.Module>();

/** A function that returns a v128: engines without SIMD refuse the type. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

let simdFound: boolean | undefined;

/** Whether this engine runs SIMD kernels. */
function hasSimd(): boolean {
  return (simdFound ??= WebAssembly.validate(SIMD_PROBE));
}

/**
 * The variant that fits a memory and what is asked for.
 *
 * @throws {CoreTypeError} `build` or `simd` is no such thing
 * @throws {CoreError} `CORE_UNSUPPORTED`: SIMD is asked for and the engine has none
 */
export function bitmapVariant(
  memory: WebAssembly.Memory,
  build: CoreBuild = 'release',
  simd: boolean | undefined = undefined,
): BitmapVariant {
  if (build !== 'release' && build !== 'debug') {
    throw new CoreTypeError(`build is ${String(build)}: pass 'release' or 'debug'`);
  }
  if (simd !== undefined && typeof simd !== 'boolean') {
    throw new CoreTypeError(`simd must be a boolean, not ${typeof simd}`);
  }
  if (simd === true && !hasSimd()) {
    throw new CoreError('CORE_UNSUPPORTED', 'this engine has no WebAssembly SIMD: leave simd out');
  }
  return { build, simd: simd ?? hasSimd(), shared: isShared(memory) };
}

export function instantiateBitmapKernels(memory: WebAssembly.Memory, variant: BitmapVariant): BitmapKernels {
  const key = keyOf(variant);
  try {
    const module = modules.get(key) ?? new WebAssembly.Module(bitmapModuleBytes(variant));
    modules.set(key, module);
    return new WebAssembly.Instance(module, importsOf(memory)).exports as unknown as BitmapKernels;
  } catch (cause) {
    throw unsupported(cause);
  }
}

export async function loadBitmapKernels(memory: WebAssembly.Memory, variant: BitmapVariant): Promise<BitmapKernels> {
  const key = keyOf(variant);
  try {
    const module = modules.get(key) ?? (await WebAssembly.compile(bitmapModuleBytes(variant)));
    modules.set(key, module);
    const instance = await WebAssembly.instantiate(module, importsOf(memory));
    return instance.exports as unknown as BitmapKernels;
  } catch (cause) {
    throw unsupported(cause);
  }
}

/** The module as the engine is given it. */
export function bitmapModuleBytes({ build, simd, shared }: BitmapVariant): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(encodedModules[build][simd ? 'simd' : 'scalar']);
  return shared ? withSharedMemory(bytes) : bytes;
}

/** `env`, `memory`, kind 2 = memory, limits: no maximum, minimum 1 page of 64 KiB. */
const UNSHARED_IMPORT = [3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 0, 1];
const LIMITS_BYTES = 2;

/** Limits: shared with a maximum, minimum 1 page, maximum 65,536 pages, so that any shared memory fits. */
const SHARED_LIMITS = [3, 1, 0x80, 0x80, 4];

/**
 * A module says of the memory it imports whether it is shared; nothing else in it depends on that. So the two
 * variants are one, and these are the five bytes in which they differ: the limits, and the size of the section.
 * WebAssembly specification, binary format: import section (id 2), limits.
 */
function withSharedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const section = importSection(bytes);
  const place = bytes.findIndex((_, index) => UNSHARED_IMPORT.every((byte, n) => bytes[index + n] === byte));
  const limits = place + UNSHARED_IMPORT.length - LIMITS_BYTES;
  const growth = SHARED_LIMITS.length - LIMITS_BYTES;
  const result = new Uint8Array(bytes.length + growth);
  result.set(bytes.subarray(0, limits));
  result.set(SHARED_LIMITS, limits);
  result.set(bytes.subarray(limits + LIMITS_BYTES), limits + SHARED_LIMITS.length);
  // One byte holds the size: the section is far below the 128 bytes that need a second.
  result[section + 1] = (bytes[section + 1] ?? 0) + growth;
  return result;
}

/** Where the section begins: behind the 8 bytes of the header and the section of types (id 1). */
function importSection(bytes: Uint8Array): number {
  return 8 + 2 + (bytes[9] ?? 0);
}

function keyOf({ build, simd, shared }: BitmapVariant): string {
  return `${build} ${simd} ${shared}`;
}

function importsOf(memory: WebAssembly.Memory): WebAssembly.Imports {
  return { env: { memory, assertionFailed } };
}

function assertionFailed(sentence: number): never {
  throw new CoreError('CORE_ASSERTION', `assertion failed: ${ASSERTIONS[sentence - 1] ?? sentence}`);
}

/** Over shared memory the buffer is a SharedArrayBuffer, a name that some browsers do not even have. */
function isShared(memory: WebAssembly.Memory): boolean {
  return !(memory.buffer instanceof ArrayBuffer);
}

function unsupported(cause: unknown): CoreError {
  const advice = 'on a browser main thread use BitmapCore.load; else the engine lacks WebAssembly threads';
  const found = cause instanceof Error ? cause.message : String(cause);
  return new CoreError('CORE_UNSUPPORTED', `the engine refuses the bitmap kernels (${found}): ${advice}`, { cause });
}
