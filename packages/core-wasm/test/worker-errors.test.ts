import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { CoreError, CoreRangeError, CoreTypeError } from '../src/errors.js';
import { decodeError, encodeError, type EncodedError } from '../src/worker-errors.js';

/** Through a port, as it happens. */
function posted(thrown: unknown): Error {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(encodeError(thrown));
  const received = receiveMessageOnPort(port2) as { message: EncodedError };
  port1.close();
  return decodeError(received.message);
}

describe('an error that crosses between threads', () => {
  test.each([
    [new CoreRangeError('CORE_MASKS', 'masks'), CoreRangeError, RangeError],
    [new CoreTypeError('type'), CoreTypeError, TypeError],
    [new CoreError('CORE_MEMORY_LIMIT', 'memory'), CoreError, Error],
    [new WebAssembly.RuntimeError('unreachable'), WebAssembly.RuntimeError, Error],
    [new RangeError('range'), RangeError, Error],
    [new TypeError('type'), TypeError, Error],
    [new SyntaxError('syntax'), Error, Error],
  ])('%s keeps class, name, message, code and stack', (error, own, base) => {
    const arrived = posted(error);
    expect(arrived).toBeInstanceOf(own);
    expect(arrived).toBeInstanceOf(base);
    expect(arrived.name).toBe(error.name);
    expect(arrived.message).toBe(error.message);
    expect(arrived.stack).toBe(error.stack);
    expect((arrived as { code?: unknown }).code).toBe((error as { code?: unknown }).code);
    expect(Object.keys(arrived).sort()).toEqual(Object.keys(error).sort());
  });

  test('keeps its causes', () => {
    const inner = new RangeError('too far', { cause: new CoreTypeError('the root') });
    const arrived = posted(new CoreError('CORE_ASSERTION', 'outer', { cause: inner }));
    expect(arrived.cause).toBeInstanceOf(RangeError);
    expect((arrived.cause as Error).cause).toBeInstanceOf(CoreTypeError);
    expect(((arrived.cause as Error).cause as Error).message).toBe('the root');
  });

  test('whose cause is itself comes to an end', () => {
    const error = new Error('round');
    error.cause = error;
    let depth = 0;
    for (let at: unknown = posted(error); at instanceof Error; at = at.cause) depth++;
    expect(depth).toBe(9);
  });

  test('with a code of its own keeps it', () => {
    const arrived = posted(Object.assign(new Error('no file'), { code: 'ENOENT' }));
    expect(arrived).toMatchObject({ message: 'no file', code: 'ENOENT' });
  });

  test.each([undefined, null, 7, 'text', Symbol('s')])('that is no error (%s) becomes one', (thrown) => {
    expect(posted(thrown).message).toContain(String(thrown));
  });
});
