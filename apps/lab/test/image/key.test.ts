import { describe, expect, it } from 'vitest';
import { imageKey } from '../../src/image/key.js';
import { findProfile, profiles } from '../../src/profile.js';

const profile = findProfile('xen-4.17');
const asset = { path: 'dom0/start', content: Buffer.from('one') };

describe('imageKey', () => {
  it('is the same for the same parts', () => {
    expect(imageKey(profile, [asset])).toBe(imageKey({ ...profile }, [{ ...asset }]));
    expect(imageKey(profile)).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([
    ['a profile', () => imageKey({ ...profile, npm: 'npm@1.0.0' }, [asset])],
    ["a file's content", () => imageKey(profile, [{ ...asset, content: Buffer.from('two') }])],
    ["a file's name", () => imageKey(profile, [{ ...asset, path: 'dom0/star' }])],
    ['a file more', () => imageKey(profile, [asset, asset])],
    [
      'bytes that moved from a name to a content',
      () => imageKey(profile, [{ path: 'dom0/starto', content: Buffer.from('ne') }]),
    ],
  ])('differs by %s', (_, other) => {
    expect(other()).not.toBe(imageKey(profile, [asset]));
  });

  it('differs from profile to profile', () => {
    expect(new Set(profiles.map((each) => imageKey(each, []))).size).toBe(profiles.length);
  });
});
