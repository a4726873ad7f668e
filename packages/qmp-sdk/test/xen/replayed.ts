import { FakeStore } from '../../src/xen/testing/fake-store.js';
import { Journal } from '../../src/xen/testing/journal.js';

/** What a store would hold once the lines of a dry run had been typed. */
export function replayed(store: FakeStore, lines: readonly string[]): string[] {
  const copy = new FakeStore(new Journal());
  for (const node of store.dump()) {
    const [, path = '', value = '', permissions] = /^(\S+) = "(.*)"(?: {3}\((.*)\))?$/.exec(node) ?? [];
    copy.seed({ [path]: value });
    if (permissions !== undefined) setPermissions(copy, path, permissions.split(','));
  }
  for (const line of lines) {
    const [, path, value = ''] = /^xenstore (\S+) = "(.*)"$/.exec(line) ?? [];
    if (path !== undefined) copy.write(path, value);
    const [command = '', target = '', ...words] = line.split(' ');
    if (command === 'xenstore-rm') copy.remove(target);
    if (command === 'xenstore-chmod') setPermissions(copy, target, words);
  }
  return copy.dump();
}

function setPermissions(store: FakeStore, path: string, words: readonly string[]): void {
  const permissions = words.map((word) => ({
    domid: Number(word.slice(1)),
    read: /^[rb]/.test(word),
    write: /^[wb]/.test(word),
  }));
  store.setPermissions(path, permissions);
}
