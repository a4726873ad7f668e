import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

describe('Xenstore', () => {
  it('writes, reads, lists and removes nodes', async () => {
    const result = await fake.run(({ xen }) => {
      const store = xen.Xenstore.open();
      store.write('/a/b', 'grün');
      store.write('/a/empty', '');
      store.mkdir('/a');
      const found = [store.read('/a/b'), store.read('/a/empty'), store.list('/a'), store.list('/a/b')];
      const removed = [store.remove('/a'), store.remove('/a')];
      return { found, removed, absent: [store.read('/a/b'), store.list('/a'), store.getPermissions('/a')] };
    }, null);
    expect(result).toEqual({
      found: ['grün', '', ['b', 'empty'], []],
      removed: [true, false],
      absent: [null, null, null],
    });
  });

  it('keeps permissions', async () => {
    const permissions = await fake.run(({ xen }) => {
      const store = xen.Xenstore.open();
      store.write('/a', '1');
      store.setPermissions('/a', [
        { domid: 0, read: false, write: false },
        { domid: 7, read: true, write: false },
        { domid: 8, read: true, write: true },
      ]);
      return store.getPermissions('/a');
    }, null);
    expect(permissions).toEqual([
      { domid: 0, read: false, write: false },
      { domid: 7, read: true, write: false },
      { domid: 8, read: true, write: true },
    ]);
  });

  it('refuses paths and values that xenstore does not carry', async () => {
    const errors = await fake.run(({ xen, caught }) => {
      const store = xen.Xenstore.open();
      return [
        caught(() => store.read('')),
        caught(() => store.read('/a\0b')),
        caught(() => store.read('/a b')),
        caught(() => store.read(`/${'a'.repeat(3072)}`)),
        caught(() => store.read('a'.repeat(2049))),
        caught(() => store.write('/a', 'ü'.repeat(2047))),
        caught(() => store.setPermissions('/a', [])),
        caught(() => store.write('/a', 5 as unknown as string)),
      ].map(({ name }) => name);
    }, null);
    expect(errors).toEqual([...Array<string>(7).fill('RangeError'), 'TypeError']);
    expect(fake.calls()).toEqual([]);
  });

  it('reports what xenstored refuses', async () => {
    fake.fail('xs_write', constants.errno.EACCES);
    fake.fail('xs_read', constants.errno.EINVAL);
    const [write, read] = await fake.run(({ xen, caught }) => {
      const store = xen.Xenstore.open();
      return [caught(() => store.write('/a', '1')), caught(() => store.read('/a'))];
    }, null);
    expect(write).toMatchObject({ call: 'xs_write', errnoName: 'EACCES' });
    expect(read).toMatchObject({ call: 'xs_read', errnoName: 'EINVAL' });
  });
});

describe('Xenstore.transaction', () => {
  it('commits what was written, after a conflict by running again', async () => {
    fake.fail('xs_transaction_end', constants.errno.EAGAIN, 2);
    const result = await fake.run(({ xen }) => {
      const store = xen.Xenstore.open();
      let attempts = 0;
      const value = store.transaction((nodes) => {
        attempts += 1;
        nodes.write('/n', String(attempts));
        return nodes.read('/n');
      });
      return { attempts, value, after: store.read('/n') };
    }, null);
    expect(result).toEqual({ attempts: 3, value: '3', after: '3' });
  });

  it('aborts when the action throws or is async, and passes the reason on', async () => {
    const result = await fake.run(({ xen, caught }) => {
      const store = xen.Xenstore.open();
      const thrown = caught(() =>
        store.transaction((nodes) => {
          nodes.write('/n', '1');
          throw new Error('mine');
        }),
      );
      return { thrown, async: caught(() => store.transaction(() => Promise.resolve())), after: store.read('/n') };
    }, null);
    expect(result).toMatchObject({ thrown: { message: 'mine' }, async: { name: 'TypeError' }, after: null });
    expect(fake.calls().filter((call) => call.startsWith('xs_transaction_end'))).toEqual([
      'xs_transaction_end 4294967294 1',
      'xs_transaction_end 4294967294 1',
    ]);
  });

  it('XSA-206: gives up after a bounded number of conflicts', async () => {
    fake.fail('xs_transaction_end', constants.errno.EAGAIN, 1000);
    const error = await fake.run(({ xen, caught }) => {
      const store = xen.Xenstore.open();
      return caught(() => store.transaction((nodes) => nodes.write('/n', '1')));
    }, null);
    expect(error).toMatchObject({ name: 'XenError', code: 'XEN_TRANSACTION_CONFLICT' });
    expect(fake.calls().filter((call) => call === 'xs_transaction_start')).toHaveLength(64);
  });
});

describe('Xenstore.watch', () => {
  it('delivers changes on the event loop with the token of each watch, until it is closed', async () => {
    const result = await fake.run(async ({ xen }) => {
      const store = xen.Xenstore.open();
      const seen: string[] = [];
      const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
      const first = store.watch('/a', 'same', (path, token) => seen.push(`first ${path} ${token}`));
      const second = store.watch('/a/b', 'same', (path, token) => seen.push(`second ${path} ${token}`));
      const synchronous = seen.length;
      await turn();
      const initial = seen.splice(0);
      store.write('/a/b', '1');
      await turn();
      const both = seen.splice(0).sort();
      first.close();
      first.close();
      store.write('/a/b', '2');
      await turn();
      const one = seen.splice(0);
      second.close();
      store.write('/a/b', '3');
      await turn();
      return { synchronous, initial, both, one, none: seen };
    }, null);
    expect(result).toEqual({
      synchronous: 0,
      initial: ['first /a same', 'second /a/b same'],
      both: ['first /a/b same', 'second /a/b same'],
      one: ['second /a/b same'],
      none: [],
    });
  });

  it('delivers more events than one turn takes, and watches special paths', async () => {
    const count = await fake.run(async ({ xen }) => {
      const store = xen.Xenstore.open();
      let seen = 0;
      store.watch('@releaseDomain', 't', () => (seen += 1));
      store.watch('/a', 't', () => (seen += 1));
      for (let index = 0; index < 250; index += 1) store.write('/a', String(index));
      await new Promise((resolve) => setTimeout(resolve, 100));
      store.close();
      return seen;
    }, null);
    expect(count).toBe(252);
  });

  it('may be closed, with the connection, from its own callback', async () => {
    const seen = await fake.run(async ({ xen }) => {
      const store = xen.Xenstore.open();
      const seen: string[] = [];
      await new Promise<void>((resolve) => {
        store.watch('/a', 't', (path) => {
          seen.push(path);
          store.close();
          resolve();
        });
        store.write('/a', '1');
      });
      await new Promise((resolve) => setTimeout(resolve, 30));
      return seen;
    }, null);
    expect(seen).toEqual(['/a']);
    expect(fake.allCalls().at(-1)).toBe('xs_close');
  });

  it('keeps the process alive until the last one is closed', async () => {
    const child = fake.start(({ xen }) => {
      const store = xen.Xenstore.open();
      const watch = store.watch('/a', 't', () => undefined);
      setTimeout(() => {
        watch.close();
        store.write('/closed', '1');
      }, 300).unref();
    }, null);
    expect(await child.exit).toMatchObject({ code: 0, stderr: '' });
    expect(fake.calls()).toContain('xs_write 0 /closed 1');
  });

  it('throws what a callback throws as an uncaught exception', async () => {
    const child = fake.start(({ xen }) => {
      const store = xen.Xenstore.open();
      store.watch('/a', 't', () => {
        throw new Error('from the callback');
      });
    }, null);
    const exit = await child.exit;
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toContain('from the callback');
  });

  it('does not go unnoticed when the connection breaks', async () => {
    const message = await fake.run(
      async ({ xen, ready }) => {
        const store = xen.Xenstore.open();
        store.watch('/a', 't', () => ready());
        const error = await new Promise<Error>((resolve) => process.once('uncaughtException', resolve));
        return `${(error as { code?: string }).code}: ${error.message}`;
      },
      fake.fail('xs_check_watch', constants.errno.EBADF),
    );
    expect(message).toContain('XEN_CALL_FAILED: xs_check_watch failed with EBADF');
  });

  it('is undone when xenstored refuses it', async () => {
    fake.fail('xs_watch', constants.errno.ENOSPC);
    const error = await fake.run(({ xen, caught }) => {
      const store = xen.Xenstore.open();
      return caught(() => store.watch('/a', 't', () => undefined));
    }, null);
    expect(error).toMatchObject({ call: 'xs_watch', errnoName: 'ENOSPC' });
  });
});
