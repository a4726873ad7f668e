export { type GenerateOptions, generateTypes } from './generate.js';
export { QmpMissingInSchemaError, QmpSchemaError } from './errors.js';
export { QmpSchema, type SchemaDescription, type SchemaSource, loadSchema } from './schema.js';
export type { CheckOptions, Issue } from './validate.js';
export type { NameLock, NamingNote } from './names.js';
export type { SchemaEntity } from './entities.js';
