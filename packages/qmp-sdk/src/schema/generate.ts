import { type EmitOptions, emitTypes } from './emit.js';
import { mergeSchemas } from './model.js';
import { type NamingNote, type NamingOptions, nameTypes, withStableNames } from './names.js';
import { indexEntities } from './well-formed.js';

export interface GenerateOptions extends NamingOptions, Partial<EmitOptions> {
  /** Told about types whose name is not the one an earlier schema gave them. */
  readonly onNote?: (note: NamingNote) => void;
}

/**
 * TypeScript for the QEMU that a schema was taken from: the text of a module that exports `Commands`, `Events`,
 * `UnstableCommands` and the types they use. `schema` is the reply to `query-qmp-schema`.
 *
 * Pass the lock of this package (`@xenpt/qmp-sdk/types/names`) to get the same names as its own types have.
 * @throws QmpSchemaError
 */
export function generateTypes(schema: unknown, options: GenerateOptions = {}): string {
  const raw = indexEntities(schema);
  const naming = nameTypes(raw, options);
  for (const note of naming.notes) options.onNote?.(note);
  const table = indexEntities(withStableNames(raw, naming));
  const { origin = 'From query-qmp-schema.' } = options;
  return emitTypes(mergeSchemas([{ version: '', table }]), { ...options, origin });
}
