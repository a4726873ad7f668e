export { type FileSourceOptions, openFileSource } from './file-source.js';
