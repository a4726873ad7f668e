import { describe, expect, it } from 'vitest';
import { diskLayerArguments, qemuArguments, type MachineOptions } from '../../src/machine/qemu-arguments.js';

const options: MachineOptions = {
  emulator: 'qemu-system-x86_64',
  image: { disk: '/i/dom0.img', xen: '/i/xen', kernel: '/i/vmlinux', initramfs: '/i/initrd.img' },
  devices: [],
  runDirectory: '/run/lab',
};

function valueOf(args: readonly string[], name: string): string {
  return args[args.indexOf(name) + 1] ?? '';
}

describe('qemuArguments', () => {
  it('emulates the machine that was tried and measured', () => {
    const args = qemuArguments(options);
    expect(valueOf(args, '-machine')).toBe('q35,kernel-irqchip=off');
    expect(valueOf(args, '-accel')).toBe('tcg,thread=multi');
    expect(valueOf(args, '-cpu')).toBe('max,-smap,-smep,-pku,-la57,-xsave');
    expect(args).toContain('intel-iommu,intremap=on');
    expect(valueOf(args, '-append')).toContain('iommu=verbose,required,no-sharept');
    expect(valueOf(args, '-append')).toContain('spec-ctrl=eager-fpu');
  });

  it('never writes to the image, nor to a saved state', () => {
    const resume = { directory: '/s', memory: '/s/memory', disk: '/s/disk.qcow2', serialLog: '/s/serial.log' };
    for (const each of [options, { ...options, resume }]) {
      expect(qemuArguments(each).join(' ')).not.toMatch(/dom0\.img|\/s\/disk|\/s\/serial/);
      expect(qemuArguments(each)).toContain('if=none,id=disk,file=/run/lab/disk.qcow2,format=qcow2,cache=unsafe');
    }
    expect(diskLayerArguments(options).slice(-4)).toEqual(['raw', '-b', '/i/dom0.img', '/run/lab/disk.qcow2']);
    expect(diskLayerArguments({ ...options, resume }).slice(-4)).toEqual([
      ...['qcow2', '-b', '/s/disk.qcow2', '/run/lab/disk.qcow2'],
    ]);
  });

  it('resumes from the saved memory, whatever its path holds', () => {
    const resume = { directory: '/s', memory: "/s 1/it's", disk: '/s/disk.qcow2', serialLog: '/s/serial.log' };
    expect(valueOf(qemuArguments({ ...options, resume }), '-incoming')).toBe(`exec:exec cat '/s 1/it'\\''s'`);
    expect(qemuArguments(options)).not.toContain('-incoming');
  });

  it('can do without an IOMMU', () => {
    const args = qemuArguments({ ...options, iommu: false });
    expect(args).not.toContain('intel-iommu,intremap=on');
    expect(valueOf(args, '-append')).toMatch(/ iommu=0( |$)/);
    expect(valueOf(args, '-append')).not.toContain('required');
  });

  it('gives the machine and dom0 the same number of processors', () => {
    const both = (args: readonly string[]) => [
      valueOf(args, '-smp'),
      /dom0_max_vcpus=\d/.exec(valueOf(args, '-append'))?.[0],
    ];
    expect(both(qemuArguments(options))).toEqual(['2', 'dom0_max_vcpus=2']);
    expect(both(qemuArguments({ ...options, processors: 1 }))).toEqual(['1', 'dom0_max_vcpus=1']);
  });

  it('passes more arguments to Xen and to dom0, where a comma parts nothing', () => {
    const args = qemuArguments({ ...options, xenArguments: ['loglvl=all'], kernelArguments: ['a=b,c'] });
    expect(valueOf(args, '-append')).toMatch(/ loglvl=all$/);
    expect(valueOf(args, '-initrd')).toMatch(/^\/i\/vmlinux console=hvc0 .* a=b,,c,\/i\/initrd\.img$/);
  });

  it('doubles commas in paths', () => {
    const args = qemuArguments({ ...options, runDirectory: '/r,1' });
    expect(args).toContain('file,id=serial,path=/r,,1/serial.log,append=on');
    expect(args.join(' ')).not.toMatch(/\/r,1/);
  });
});
