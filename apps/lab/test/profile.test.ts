import { describe, expect, it } from 'vitest';
import { dom0Packages, findProfile, profiles, systemdProfiles } from '../src/profile.js';

describe('profiles', () => {
  it('are found by their names, and a wrong name is told with all there are', () => {
    for (const profile of [...profiles, ...systemdProfiles]) expect(findProfile(profile.name)).toBe(profile);
    expect(() => findProfile('xen-3.4')).toThrow('xen-4.17, xen-4.20, xen-4.17+systemd, xen-4.20+systemd');
  });

  it('come with systemd too, which the others do not have', () => {
    const added = (index: number) => {
      const [plain, other] = [profiles[index], systemdProfiles[index]];
      if (!plain || !other) throw new Error('a profile is missing');
      expect(other).toEqual({ ...plain, name: `${plain.name}+systemd`, init: 'systemd' });
      return dom0Packages(other).filter((name) => !dom0Packages(plain).includes(name));
    };
    expect(profiles.map((_, index) => added(index))).toEqual(profiles.map(() => ['systemd-sysv', 'udev']));
  });

  it('have names of which none is the beginning of the other’s folder in the cache', () => {
    const names = [...profiles, ...systemdProfiles].map(({ name }) => `${name}-`);
    for (const name of names) expect(names.filter((other) => other.startsWith(name))).toEqual([name]);
  });
});
