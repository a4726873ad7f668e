import { CoreError } from './errors.js';
import { debugWasm, releaseWasm } from './wasm.generated.js';

/** `release` is optimised; `debug` is not, and checks the kernels' own assumptions. Both give the same answers. */
export type CoreBuild = 'release' | 'debug';

/** Where something of ours begins in linear memory, in bytes. */
export type Address = number;

/** The exports of assembly/index.ts. All integers have 32 bits and come back signed, hence `>>> 0` in the wrappers. */
export interface Kernels {
  heapBase(): Address;
  messageTableInitialize(table: Address, entryCount: number): void;
  messageTableIsChanged(table: Address, index: number): number;
  messageTableRead(table: Address, offset: number, size: number): number;
  messageTableReadHigh(table: Address): number;
  messageTableReset(table: Address): void;
  messageTableSetChanged(table: Address, index: number, changed: number): void;
  messageTableStorageBytes(entryCount: number): number;
  messageTableWord(table: Address, index: number, word: number): number;
  messageTableWrite(table: Address, offset: number, size: number, low: number, high: number): number;
  registerFileDefine(
    file: Address,
    index: number,
    virtual: number,
    reset: number,
    shadowWrite: number,
    hardwareWrite: number,
    rw1c: number,
    notify: number,
  ): void;
  registerFileHardwareByteEnables(file: Address): number;
  registerFileHardwareValue(file: Address): number;
  registerFileInitialize(file: Address, sizeBytes: number): void;
  registerFileNeedsHardwareToRead(file: Address, offset: number, width: number): number;
  registerFileNeedsHardwareToWrite(file: Address, offset: number, width: number): number;
  registerFileRead(file: Address, offset: number, width: number, hardware: number): number;
  registerFileReadBatch(file: Address, accesses: Address, count: number): void;
  registerFileReset(file: Address): void;
  registerFileSetShadow(file: Address, index: number, value: number): void;
  registerFileShadow(file: Address, index: number): number;
  registerFileStorageBytes(sizeBytes: number): number;
  registerFileWrite(file: Address, offset: number, width: number, value: number, hardware: number): number;
  registerFileWriteBatch(file: Address, accesses: Address, count: number): void;
}

const encodedModules: Record<CoreBuild, string> = { release: releaseWasm, debug: debugWasm };

/** Compiled once; a module has no state, so all instances of a build share it. */
const modules: Partial<Record<CoreBuild, WebAssembly.Module>> = {};

/** Synchronous in browsers too: both builds stay below the 4 KiB that any browser's main thread allows. */
export function instantiateKernels(build: CoreBuild, memory: WebAssembly.Memory): Kernels {
  const module = (modules[build] ??= new WebAssembly.Module(decodeBase64(encodedModules[build])));
  const instance = new WebAssembly.Instance(module, { env: { memory, abort: abortInto(memory) } });
  return instance.exports as unknown as Kernels;
}

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
  return bytes;
}

/** What a failed assertion of the debug build calls; the strings lie in `memory`. */
function abortInto(memory: WebAssembly.Memory) {
  return (message: Address, file: Address, line: number, column: number): never => {
    const place = `${readString(memory, file)}:${line >>> 0}:${column >>> 0}`;
    throw new CoreError('CORE_ASSERTION', `assertion failed at ${place}: ${readString(memory, message)}`);
  };
}

/** AssemblyScript's layout: UTF-16 units, their size in bytes in the four bytes before. */
function readString(memory: WebAssembly.Memory, address: Address): string {
  if (address === 0) return '(no text)';
  const view = new DataView(memory.buffer);
  const units = view.getUint32(address - 4, true) / 2;
  let text = '';
  for (let index = 0; index < units; index++) text += String.fromCharCode(view.getUint16(address + 2 * index, true));
  return text;
}
