import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addonPath, compileSources, ensureAddon } from './support/build.js';

beforeAll(ensureAddon);

const objdump = (option: string): string => execFileSync('objdump', [option, addonPath], { encoding: 'utf8' });

describe('the built addon', () => {
  it('needs no glibc newer than 2.36, so that it loads on Debian 12', () => {
    const versions = [...objdump('-T').matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) =>
      [major, minor].map(Number),
    );
    expect(versions.length).toBeGreaterThan(0);
    const tooNew = versions.filter(([major = 0, minor = 0]) => major > 2 || minor > 36);
    expect(tooNew).toEqual([]);
  });

  it('needs no library but those of glibc, and none of Xen', () => {
    const needed = [...objdump('-p').matchAll(/NEEDED +(\S+)/g)].map(([, name]) => name);
    const glibc = ['libc.so.6', 'libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'ld-linux-x86-64.so.2'];
    expect(needed.filter((name) => !glibc.includes(name ?? ''))).toEqual([]);
  });

  it('stays loaded once loaded, and shows Node two functions only', () => {
    expect(objdump('-p')).toMatch(/FLAGS_1 +0x[0-9a-f]*[89a-f]\b/); // DF_1_NODELETE is 8
    const exported = objdump('-T')
      .split('\n')
      .filter((line) => / g +DF? \.text/.test(line));
    expect(exported.map((line) => line.split(/\s+/).at(-1)).sort()).toEqual([
      'napi_register_module_v1',
      'node_api_module_get_api_version_v1',
    ]);
  });
});

describe('without an addon', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'no-addon-'));
    cpSync(compileSources(), join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('importing works, probe() says so, and a call names the file and the next step', () => {
    const script = `
      const { probe, Control } = await import(${JSON.stringify(join(folder, 'dist/index.js'))});
      const { usable, missing, libraries } = probe();
      let error;
      try { Control.open(); } catch (thrown) { error = thrown; }
      const { name, message } = error;
      console.log(JSON.stringify({ usable, first: missing[0], soname: libraries[0].soname, name, error: message }));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const { usable, first, soname, name, error } = JSON.parse(output) as Record<string, unknown>;
    expect({ usable, soname, name }).toEqual({ usable: false, soname: null, name: 'XenUnavailableError' });
    expect(error).toBe(first);
    expect(error).toContain('prebuilds/linux-x64/xen_bindings.node: no native addon for linux-x64');
    expect(error).toContain('Next step:');
  });
});
