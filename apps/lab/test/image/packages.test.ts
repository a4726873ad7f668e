import { describe, expect, it } from 'vitest';
import { packageFiles } from '../../src/image/packages.js';

describe('packageFiles', () => {
  it("reads apt's list of URIs", () => {
    const text = [
      "'http://deb.debian.org/debian/pool/main/b/base-files_12_amd64.deb' base-files_12_amd64.deb 71012 MD5Sum:abc",
      "'http://deb.debian.org/debian/pool/q/qemu_1%3a7.2%2bdfsg_amd64.deb' qemu_1%3a7.2+dfsg_amd64.deb 42 SHA256:def",
      'WARNING: something else',
    ].join('\n');
    expect(packageFiles(text)).toEqual(['base-files_12_amd64.deb', 'qemu_1%3a7.2+dfsg_amd64.deb']);
  });
});
