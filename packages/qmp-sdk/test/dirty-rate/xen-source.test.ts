import { expect, it } from 'vitest';
import { createXenSource } from '../../src/dirty-rate/index.js';

it('cleans the log of a domain at each look, and switches it off at the end', async () => {
  let closed = 0;
  let pageCount = 100;
  const log = {
    domid: 5,
    domainName: 'web',
    get pageCount() {
      return pageCount;
    },
    clean: (into: Uint8Array) => {
      into[0] = 3;
      return { pageCount };
    },
    close: () => Promise.resolve(void (closed += 1)),
  };
  const source = createXenSource(log, { domid: 5, totPages: 90n });
  expect(source).toMatchObject({ description: 'domain 5 (web)', memoryPages: 90, pageCount: 100, pace: 'live' });
  pageCount = 200;
  expect(source.pageCount).toBe(200);
  const into = new Uint8Array(32);
  expect(await source.collect(into)).toEqual({ pageCount: 200 });
  expect(into[0]).toBe(3);
  await expect(source.collect(into, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  await source.close();
  expect(closed).toBe(1);
  expect(createXenSource(log, null).memoryPages).toBeNull();
});

it('passes on what Xen refuses', async () => {
  const clean = () => {
    throw new Error('XENPT_DOMAIN_GONE');
  };
  const source = createXenSource({ domid: 1, domainName: 'a', pageCount: 1, clean, close: () => Promise.resolve() });
  await expect(source.collect(new Uint8Array(8))).rejects.toThrow('XENPT_DOMAIN_GONE');
});
