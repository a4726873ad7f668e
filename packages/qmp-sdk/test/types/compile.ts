import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const folder = fileURLToPath(new URL('.', import.meta.url));
const commonOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

const parsed = new Map<string, ts.SourceFile | undefined>();

/**
 * What the compiler says about modules that exist in memory only, `line: message` each, in the order of the files.
 * They may import files of this package by path, as if they stood beside this file.
 */
export function compile(modules: Readonly<Record<string, string>>, libraries = ['lib.es2022.d.ts']): string[] {
  return compileWith(modules, { lib: libraries }).diagnostics;
}

/** The same with other options, and which files the program has loaded; they are checked too, if wanted. */
export function compileWith(
  modules: Readonly<Record<string, string>>,
  more: ts.CompilerOptions,
  checked: 'all' | 'modules' = 'all',
): { diagnostics: string[]; files: string[] } {
  const options = { ...commonOptions, ...more };
  const inMemory = new Map(Object.entries(modules).map(([name, text]) => [path.join(folder, name), text]));
  const host = ts.createCompilerHost(options);
  const disk = ts.createCompilerHost(options);
  host.fileExists = (file) => inMemory.has(file) || disk.fileExists(file);
  host.readFile = (file) => inMemory.get(file) ?? disk.readFile(file);
  host.getSourceFile = (file, language) => {
    const text = inMemory.get(file);
    if (text !== undefined) return ts.createSourceFile(file, text, language);
    // The library files are the same for every program.
    if (!parsed.has(file)) parsed.set(file, disk.getSourceFile(file, language));
    return parsed.get(file);
  };
  const program = ts.createProgram([...inMemory.keys()], options, host);
  const files = checked === 'all' ? [undefined] : [...inMemory.keys()].map((file) => program.getSourceFile(file));
  const found = files.flatMap((file) => ts.getPreEmitDiagnostics(program, file));
  const diagnostics = found.map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    const name = file ? path.basename(file.fileName) : '';
    return `${name}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  return { diagnostics, files: program.getSourceFiles().map(({ fileName }) => path.basename(fileName)) };
}
