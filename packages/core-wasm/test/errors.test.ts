import { expect, test } from 'vitest';
import { CoreError, CoreRangeError, CoreTypeError } from '../src/index.js';

test('each class has its name, its code and the built-in kind it stands for', () => {
  const cause = new Error('below');
  const error = new CoreError('CORE_MEMORY_LIMIT', 'full', { cause });
  expect(error).toMatchObject({ name: 'CoreError', code: 'CORE_MEMORY_LIMIT', message: 'full', cause });

  const range = new CoreRangeError('CORE_MASKS', 'two masks');
  expect(range).toBeInstanceOf(RangeError);
  expect(range).toMatchObject({ name: 'CoreRangeError', code: 'CORE_MASKS', message: 'two masks' });

  const type = new CoreTypeError('not a number');
  expect(type).toBeInstanceOf(TypeError);
  expect(type).toMatchObject({ name: 'CoreTypeError', code: 'CORE_ARGUMENT_TYPE', message: 'not a number' });
});
