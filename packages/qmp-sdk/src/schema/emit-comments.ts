import type { Span } from './model.js';

interface Annotated {
  readonly name: string;
  readonly features: readonly string[];
  readonly span: Span;
}

/** QEMU marks what may change with the feature `unstable` (since 6.2), and had the prefix `x-` for it before. */
export function isUnstable({ name, features }: Annotated): boolean {
  return features.includes('unstable') || name.startsWith('x-');
}

/** The JSDoc of something, with its line end; empty when the schema says nothing about it. */
export function documentation(item: Annotated, indent: string): string {
  const { features, span } = item;
  const others = features.filter((feature) => feature !== 'deprecated' && feature !== 'unstable');
  const parts = [
    span.since && `Since ${span.since.version} (not in ${span.since.absentIn}).`,
    span.until && `Until ${span.until.version} (not in ${span.until.absentIn}).`,
    others.length > 0 && `Features: ${others.map((feature) => `\`${feature}\``).join(', ')}.`,
    isUnstable(item) && '@experimental QEMU may change or drop it without notice.',
    features.includes('deprecated') && '@deprecated QEMU is going to drop it.',
  ].filter((part) => typeof part === 'string');
  if (parts.length === 0) return '';
  // Feature names come from the other side: none may end the comment.
  const text = parts.map((part) => part.replaceAll('*/', '* /'));
  if (text.length === 1) return `${indent}/** ${text[0]} */\n`;
  return `${indent}/**\n${text.map((part) => `${indent} * ${part}\n`).join('')}${indent} */\n`;
}

/** A string literal. */
export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
