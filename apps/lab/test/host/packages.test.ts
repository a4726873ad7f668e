import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hostPackages, missingHostPackages } from '../../src/host/packages.js';

describe('hostPackages', () => {
  it('is the plain list that the start script reads, each entry with a reason and a way to see it', () => {
    const text = readFileSync(new URL('../../host-packages.json', import.meta.url), 'utf8');
    expect(hostPackages).toEqual(JSON.parse(text));
    for (const entry of hostPackages) {
      expect(entry.why).not.toBe('');
      expect([entry.command, entry.file].filter((way) => way !== undefined)).toHaveLength(1);
    }
  });

  it('misses the commands that are not on the path', () => {
    const missing = missingHostPackages('/nonexistent').map((entry) => entry.package);
    expect(missing).toContain('apt');
    expect(missing.includes('ipxe-qemu')).toBe(!existsSync('/var/lib/dpkg/info/ipxe-qemu.list'));
  });
});
