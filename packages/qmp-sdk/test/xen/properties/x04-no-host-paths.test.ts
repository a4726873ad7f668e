import { expect, test } from 'vitest';
import { attach } from '../../../src/xen/index.js';
import { CARD, readyHost } from '../hosts.js';

test('X4: of this host a guest reads the address of its device and where its nodes are, nothing else', async () => {
  const host = await readyHost();
  const before = new Set(host.store.dump());
  await attach(host, { domain: '5', spec: CARD, rom: 'off', permissive: true });
  const added = host.store.dump().filter((node) => !before.has(node));
  // What libxl keeps of a function is dom0's alone, and names nothing but the domain.
  const readable = added.filter((node) => !node.startsWith('/libxl/'));
  expect(readable.length).toBeGreaterThan(10);
  for (const node of readable) {
    const value = /= "([^"]*)"/.exec(node)?.[1] ?? '';
    expect(value, node).toMatch(
      /^(|[0-9a-f]{1,2}|guest5|0000:03:00\.0|\/local\/domain\/(0\/backend|5\/device)\/pci[/0-9]*|(\w+=\w+,?)+)$/,
    );
  }
});
