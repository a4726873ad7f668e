import picocolors from 'picocolors';

export interface Style {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly error: (text: string) => string;
  readonly good: (text: string) => string;
  readonly info: (text: string) => string;
}

export function createStyle(color: boolean): Style {
  const { bold, dim, yellow, red, green, cyan } = picocolors.createColors(color);
  return { strong: bold, faint: dim, warning: yellow, error: red, good: green, info: cyan };
}
