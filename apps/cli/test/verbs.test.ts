import { expect, test } from 'vitest';
import { fakeDomain, fakeNetworkCard } from '@xenpt/qmp-sdk/xen/testing';
import { fakeHost, parse, run } from './run.js';

const functions = [
  fakeNetworkCard,
  { sbdf: '0000:04:00.0', driver: null, vendorId: 0x1234, deviceId: 0x11e8, classCode: 0x00ff00 },
  { sbdf: '0000:05:00.0', driver: 'pciback' },
];

test('list: a table with the owner of each function', async () => {
  const host = fakeHost({ functions });
  await run(host, 'assignable add 03:00.0');
  await run(host, 'attach 5 03:00.0@6');
  expect((await run(host, 'list')).stdout).toMatchInlineSnapshot(`
    "ADDRESS       DEVICE                            DRIVER   GROUP  RESET  OWNER                            ASSIGNABLE
    0000:03:00.0  Ethernet controller: [8086:10d3]  pciback  alone  safe   domain 5 guest5 at 0000:00:06.0  yes
    0000:04:00.0  Unclassified device: [1234:11e8]  -        alone  safe   host                             yes
    0000:05:00.0  Ethernet controller: [8086:10d3]  pciback  alone  safe   assignable                       yes
    "
  `);
});

test('list --json: one document, ids as text', async () => {
  const { stdout, exitCode } = await run(fakeHost(), 'list --json');
  expect(exitCode).toBe(0);
  expect(parse(stdout)).toMatchObject({
    schemaVersion: 1,
    functions: [
      {
        sbdf: '0000:03:00.0',
        vendorId: '0x8086',
        deviceId: '0x10d3',
        classCode: '0x020000',
        className: expect.any(String) as string,
        vendorName: null,
        deviceName: null,
        driver: 'e1000e',
        owner: { kind: 'host', driver: 'e1000e' },
        identity: { path: '0000:03/00.0', serialNumber: null },
        reset: { methods: ['flr', 'bus'], grade: 'safe' },
        groups: { kernel: null, xen: ['0000:03:00.0'] },
        verdict: 'assignable',
        findings: [],
      },
    ],
    notes: [],
  });
});

test('list on plain Linux works and notes what it cannot know on stderr', async () => {
  const { exitCode, stderr } = await run(fakeHost({ xen: false }), 'list');
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^note: Which guest has a device cannot be told/);
});

test('show: resources, how it is reset, registers', async () => {
  const { stdout } = await run(fakeHost(), 'show 03:00.0');
  expect(stdout).toMatchInlineSnapshot(`
    "0000:03:00.0  Ethernet controller: [8086:10d3]
      Subsystem:   [8086:0000]
      Path:        0000:03/00.0
      Owner:       host
      Driver:      e1000e
      Interrupt:   16
      Reset:       flr, bus: safe to reuse (flr resets this function alone, and all of it)
      Xen group:   0000:03:00.0
      ACS group:   0000:03:00.0
      Assignable:  yes

    RESOURCE  KIND    START       SIZE
    BAR 0     memory  0xfe840000  0x20000  128 KiB
    BAR 1     memory  0xfe860000  0x20000  128 KiB
    BAR 2     io      0xc000      0x20     32 B
    BAR 3     memory  0xfe880000  0x4000   16 KiB
    ROM       rom     0xfe800000  0x40000  256 KiB

    OFFSET  HEADER                VALUE
    0x00    vendorId              0x8086
    0x02    deviceId              0x10d3
    0x04    command               0x0000
    0x06    status                0x0000
    0x08    revisionId            0x00
    0x09    programmingInterface  0x00
    0x0a    classCode             0x0200
    0x0c    cacheLineSize         0x00
    0x0d    latencyTimer          0x00
    0x0e    headerType            0x00
    0x0f    builtInSelfTest       0x00
    0x10    bar0                  0x00000000
    0x14    bar1                  0x00000000
    0x18    bar2                  0x00000000
    0x1c    bar3                  0x00000000
    0x20    bar4                  0x00000000
    0x24    bar5                  0x00000000
    0x28    cardbusCisPointer     0x00000000
    0x2c    subsystemVendorId     0x0000
    0x2e    subsystemDeviceId     0x0000
    0x30    expansionRom          0x00000000
    0x34    capabilitiesPointer   0x00
    0x3c    interruptLine         0x00
    0x3d    interruptPin          0x00
    0x3e    minimumGrant          0x00
    0x3f    maximumLatency        0x00
    "
  `);
});

test('show --json: addresses are exact text', async () => {
  const { stdout } = await run(fakeHost(), 'show 03:00.0 --json');
  expect(parse(stdout)).toMatchObject({
    schemaVersion: 1,
    function: {
      sbdf: '0000:03:00.0',
      resources: expect.arrayContaining([
        expect.objectContaining({ index: 0, start: '0xfe840000', sizeBytes: '0x20000' }),
      ]) as unknown[],
      resetMethods: ['flr', 'bus'],
    },
  });
});

test('assignable add, list and remove', async () => {
  const host = fakeHost();
  expect((await run(host, 'assignable add 03:00.0')).stdout).toBe(
    '0000:03:00.0 is assignable; its driver was e1000e; undo with: xenpt undo 1\n',
  );
  expect((await run(host, 'assignable list')).stdout).toMatchInlineSnapshot(`
    "ADDRESS       FROM DRIVER  NAME  OVERRIDES  KEPT
    0000:03:00.0  e1000e       -     -          no
    "
  `);
  expect(parse((await run(host, 'assignable list --json')).stdout)).toEqual({
    schemaVersion: 1,
    devices: [
      { sbdf: '0000:03:00.0', driver: '/sys/bus/pci/drivers/e1000e', name: null, overrides: [], persistent: false },
    ],
  });
  expect((await run(host, 'assignable remove 03:00.0')).stdout).toBe('0000:03:00.0 is bound to e1000e again\n');
  expect((await run(host, 'assignable list')).stderr).toContain('No device is assignable');
});

test('attach to a running guest says that it must look for the device; detach gives it back', async () => {
  const host = fakeHost({ domains: [fakeDomain(5, { flags: { paused: false } })] });
  await run(host, 'assignable add 03:00.0');
  expect(await run(host, 'attach guest5 03:00.0')).toMatchObject({
    exitCode: 0,
    stdout: '0000:03:00.0 is attached to domain 5 (guest5) as 0000:00:05.0, with 3 message vectors\n',
    stderr: expect.stringContaining('echo 1 > /sys/bus/pci/rescan') as string,
  });
  expect(await run(host, 'detach 5 03:00.0')).toMatchObject({
    exitCode: 0,
    stdout: '0000:03:00.0 is detached from domain 5 (guest5) and assignable\n',
    stderr: 'note: Domain 5 was not asked for the device: its driver finds the device missing.\n',
  });
});

test('attach --json', async () => {
  const host = fakeHost({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
  const { stdout, stderr } = await run(host, 'attach 5 03:00.0 --json');
  expect(stderr).toBe('');
  const { attached, devices } = parse(stdout);
  expect(devices).toEqual([attached]);
  expect({ attached }).toEqual({
    attached: {
      domid: 5,
      domainName: 'guest5',
      sbdf: '0000:03:00.0',
      guestSbdf: '0000:00:05.0',
      guestDevfn: 40,
      model: 'xenpt',
      options: { permissive: false, rdmPolicy: 'strict', seized: false },
      running: false,
      announced: false,
      modelStarted: true,
      pirq: 16,
      hidden: [],
      setAside: [],
      vectors: 3,
      warnings: [],
    },
  });
});

test('detach without a living model ends with 6 and says what to do', async () => {
  const host = fakeHost({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
  await run(host, 'attach 5 03:00.0');
  host.models.kill(5);
  const { exitCode, stdout, stderr } = await run(host, 'detach 5 03:00.0');
  expect(exitCode).toBe(6);
  expect(stdout).toContain('stays reserved for domain 5');
  expect(stderr).toContain('xl destroy 5');
});

test('attach shows the options back as the model has them', async () => {
  const host = fakeHost({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
  const allow = ['device-specific@0xe0+0:0x1', 'device-specific@0xe4+0:0xff'];
  const opened = { permissive: false, allow, rom: 'none', romBytes: 0 } as const;
  host.models.attached = { ...host.models.attached, opened };
  const line = `attach 5 03:00.0 --rom off --allow ${allow[0] ?? ''} --allow ${allow[1] ?? ''}`;
  const { stdout, exitCode } = await run(host, line);
  expect(exitCode).toBe(0);
  expect(host.models.opened).toEqual({ allow, rom: 'off' });
  expect(stdout).toContain('  Permissive: no\n');
  expect(stdout).toContain('  Allowed:    device-specific@0xe0+0:0x1, device-specific@0xe4+0:0xff\n');
  expect(stdout).toContain('  ROM:        none\n');
});

test.each([
  ['--allow device-specfic@0xe0+0:0x1', 4, /Did you mean device-specific@0xe0\?/],
  ['--allow nonsense', 2, /GROUP@OFFSET\+BYTE:MASK/],
  ['--rom oof', 2, /Did you mean --rom off\?/],
  ['--rom /no/such.rom', 3, /there is no such file/],
  ['--rom package.json', 4, /This is no expansion ROM/],
  ['--permisive', 2, /Did you mean --permissive\?/],
])('attach %s fails before anything is touched', async (option, exitCode, words) => {
  const host = fakeHost({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
  const before = host.dump();
  const result = await run(host, `attach 5 03:00.0 ${option}`);
  expect(result).toMatchObject({ exitCode, stdout: '' });
  expect(result.stderr).toMatch(words);
  expect(host.dump()).toEqual(before);
});

test('attach: options of xl for each device, several at once, and the model by its name', async () => {
  const other = { ...fakeNetworkCard, sbdf: '0000:04:00.0', resources: [] };
  const host = fakeHost({ functions: [fakeNetworkCard, other] });
  const { exitCode, stdout } = await run(host, 'attach 5 03:00.0@a,seize=1,permissive=1 04:00.0,seize=1 --json');
  expect(exitCode).toBe(0);
  expect(parse(stdout)['devices']).toMatchObject([
    { sbdf: '0000:03:00.0', guestSbdf: '0000:00:0a.0', options: { permissive: true, seized: true }, model: 'xenpt' },
    { sbdf: '0000:04:00.0', guestSbdf: '0000:00:05.0', options: { permissive: false, seized: true } },
  ]);
  expect((await run(host, 'devices 5')).stdout).toMatch(
    /0000:03:00\.0 .*xenpt +permissive\n0000:04:00\.0 .*xenpt +-\n/,
  );
  expect(await run(host, 'attach 5 03:00.0,msitranslate=1')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('msitranslate has no effect here') as string,
  });
  expect(await run(host, 'attach 5 03:00.0 --model kvm')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('The models are xenpt and qemu.') as string,
  });
});
