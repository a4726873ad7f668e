import { describe, expect, it } from 'vitest';
import { qemuArguments, type MachineOptions } from '../../src/machine/qemu-arguments.js';

const options: MachineOptions = {
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

  it('never writes to the image', () => {
    expect(qemuArguments(options).filter((argument) => argument.includes('/i/dom0.img'))).toEqual([
      'if=none,id=disk,file=/i/dom0.img,format=raw,snapshot=on',
    ]);
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
    expect(valueOf(qemuArguments({ ...options, runDirectory: '/r,1' }), '-serial')).toBe('file:/r,,1/serial.log');
  });
});
