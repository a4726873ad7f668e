import { describe, expect, it } from 'vitest';
import { guestConfig } from '../../src/guest/config.js';

const lines = (options: Parameters<typeof guestConfig>[0]) => guestConfig(options).split('\n');

describe('guestConfig', () => {
  it('is what an HVM guest under TCG needs', () => {
    const config = lines({ name: 'one' });
    expect(config).toContain('name="one"');
    expect(config).toContain('type="hvm"');
    expect(config).toContain('memory=256');
    expect(config).toContain('kernel="/usr/lib/xenpt-lab/guest/real-mode"');
    const load = ['guest-one.entry,addr=0xf00000', 'guest/kernel,addr=0x1000000', 'guest-one.cpio,addr=0x8000000'];
    for (const part of load) expect(config.find((line) => line.startsWith('device_model_args_hvm='))).toContain(part);
    expect(config).toContain('tsc_mode="native"');
    expect(config).toContain('cpuid="host,rdtscp=0,cmpxchg16=0"');
    expect(config.find((line) => line.startsWith('cmdline='))).toMatch(/console=ttyS0 quiet .*lab\.modules=e1000e"$/);
    expect(config.some((line) => /^(pci|passthrough|nographic)=/.test(line))).toBe(false);
  });

  it("names devices for QEMU's model", () => {
    expect(lines({ name: 'one', pci: ['0000:01:00.0', '02:00.0'] })).toContain('pci=["0000:01:00.0", "02:00.0"]');
  });

  it('prepares for a device that the toolstack does not attach', () => {
    expect(lines({ name: 'one', passthrough: 'sync_pt' })).toContain('passthrough="sync_pt"');
  });

  it('takes sizes, drivers and more lines', () => {
    const config = lines({ name: 'one', memoryMiB: 512, vcpus: 2, modules: [], extraConfig: ['viridian=1'] });
    expect(config).toContain('memory=512');
    expect(config).toContain('vcpus=2');
    expect(config).toContain('viridian=1');
    expect(config.join()).not.toContain('lab.modules');
  });

  it('has the toolstack build what is not HVM', () => {
    const config = lines({ name: 'one', type: 'pvh', kernel: '/root/vmlinux', modules: [] });
    expect(config).toContain('type="pvh"');
    expect(config).toContain('kernel="/root/vmlinux"');
    expect(config).toContain('ramdisk="/run/xenpt-lab/guest-one.cpio"');
    expect(config.find((line) => line.startsWith('cmdline='))).toMatch(/console=hvc0 quiet/);
    expect(config.some((line) => /^(device_model_args_hvm|serial|vga|vnc|usb)=/.test(line))).toBe(false);
    expect(() => guestConfig({ name: 'one', type: 'pv' })).toThrow('give it a kernel');
  });

  it('refuses what would be something else for xl or a shell', () => {
    expect(() => guestConfig({ name: 'a; reboot' })).toThrow('lower-case word');
    expect(() => guestConfig({ name: 'a', memoryMiB: 128 })).toThrow('at least 192 MiB');
    expect(() => guestConfig({ name: 'a', pci: ['"'] })).toThrow('xl cannot take');
    expect(() => guestConfig({ name: 'a', kernelArguments: ['x\n'] })).toThrow('xl cannot take');
  });
});
