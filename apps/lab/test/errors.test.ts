import { describe, expect, it } from 'vitest';
import { lastLines, LabError, plainText } from '../src/errors.js';

describe('LabError', () => {
  it('carries the consoles that said something, in its message', () => {
    const consoles = [
      { name: 'QEMU', text: ' \n' },
      { name: 'guest one', text: 'Kernel panic' },
    ];
    const error = new LabError('LAB_GUEST_TIMEOUT', 'Too late.', { consoles, cause: 'why' });
    expect(error.message).toBe('Too late.\n--- guest one (last lines) ---\nKernel panic');
    expect(error.consoles).toEqual([consoles[1]]);
    expect(error.cause).toBe('why');
  });
});

describe('console text', () => {
  it('is what a person would have read', () => {
    expect(plainText('\u001b[2J\u001b[1;31mred\u001b[0m\r\nnext')).toBe('red\nnext');
  });

  it('is cut to its last lines', () => {
    expect(lastLines('a\nb\nc\n', 3)).toBe('b\nc');
    expect(lastLines('')).toBe('');
  });
});
