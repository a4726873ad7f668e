#!/usr/bin/env node
// Records the configuration space of every PCI device model of the installed QEMU into test/fixtures/devices.jsonl:
//
//     node packages/pci/scripts/record-fixtures.mjs [--check-linux VMLINUX] [--only NAME]
//
// No operating system runs while it records (see recorder/qtest.mjs): the script itself does to the function what
// firmware and Linux's PCI core do before a driver comes: size and place the BARs, turn decode and bus master on, note
// an interrupt line. What Linux reads from /sys/bus/pci/devices/…/config is what the device answers over the same
// bus, so the images are equal but for registers that an operating system chooses: --check-linux boots one with some
// of the models and compares (recorder/linux.mjs names those registers).
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Function, enableEcam, numberBus, placeBars } from './recorder/firmware.mjs';
import { toRows } from './recorder/format.mjs';
import { checkUnderLinux } from './recorder/linux.mjs';
import { builtIn, modelsOf } from './recorder/models.mjs';
import { Qtest } from './recorder/qtest.mjs';
import { recordVirtualFunction } from './recorder/virtual-function.mjs';

const qemu = 'qemu-system-x86_64';
const output = fileURLToPath(new URL('../test/fixtures/devices.jsonl', import.meta.url));
const rootPortDevfn = 0x10;
const endpointDevfn = 0x28;
const expressId = 0x10;

const { values } = parseArgs({ options: { 'check-linux': { type: 'string' }, only: { type: 'string' } } });

function record(name, place, config, resources) {
  const view = new DataView(config.buffer);
  return {
    name,
    place,
    vendorId: view.getUint16(0, true),
    deviceId: view.getUint16(2, true),
    irq: config[0x3d] === 0 ? 0 : 16,
    resources,
    sizeBytes: config.length,
    rows: toRows(config),
  };
}

async function image(target) {
  const bytes = new DataView(new ArrayBuffer(4096));
  for (let offset = 0; offset < 256; offset += 4) bytes.setUint32(offset, await target.read32(offset), true);
  const config = new Uint8Array(bytes.buffer);
  // Linux reads 4096 bytes of what has a PCI Express capability and 256 of the rest.
  if (!target.ecam || !hasCapability(config, expressId)) return config.slice(0, 256);
  const words = Array.from({ length: 960 }, (_, index) => target.read32(256 + 4 * index));
  for (const [index, word] of (await Promise.all(words)).entries()) bytes.setUint32(256 + 4 * index, word, true);
  return config;
}

function hasCapability(config, id) {
  let pointer = (config[6] & 0x10) === 0 ? 0 : config[0x34];
  for (let hop = 0; pointer >= 0x40 && hop < 48; hop += 1) {
    if (config[pointer] === id) return true;
    pointer = config[pointer + 1];
  }
  return false;
}

/** @param place root-port (bus 1) or root-complex (bus 0) */
async function recordModel(model, place) {
  const behindPort = place === 'root-port';
  const port = behindPort
    ? ['-device', `pcie-root-port,id=rootport,chassis=1,addr=0x${(rootPortDevfn >> 3).toString(16)}`]
    : [];
  const slot = behindPort ? 'bus=rootport,addr=0' : `bus=pcie.0,addr=0x${(endpointDevfn >> 3).toString(16)}`;
  const device = [model.name, slot, model.options].filter((part) => part !== '').join(',');
  const memory = model.machine.includes('-m') ? [] : ['-m', '128M'];
  const arguments_ = ['-machine', 'q35', ...memory, ...model.machine, ...port, ...model.before, '-device', device];
  const machine = new Qtest(qemu, arguments_);
  try {
    await enableEcam(machine);
    if (behindPort) await numberBus(machine, rootPortDevfn, 1);
    const target = new Function(machine, {
      bus: behindPort ? 1 : 0,
      devfn: behindPort ? 0 : endpointDevfn,
      ecam: true,
    });
    if ((await target.read32(0)) === 0xffff_ffff) throw new Error('nothing answers in its slot');
    const resources = await placeBars(target);
    return record(model.name, place, await image(target), resources);
  } finally {
    await machine.close();
  }
}

async function recordBuiltIn({ name, machine: type, devfn }) {
  const machine = new Qtest(qemu, ['-machine', type, '-m', '128M']);
  try {
    const target = new Function(machine, { bus: 0, devfn, ecam: false });
    const resources = await placeBars(target);
    return record(name, 'built-in', await image(target), resources);
  } finally {
    await machine.close();
  }
}

async function recordAll() {
  const records = [];
  const refused = [];
  const attempt = async (name, run) => {
    if (values.only !== undefined && values.only !== name) return undefined;
    try {
      const made = await run();
      records.push(made);
      process.stdout.write(
        `${made.name} (${made.place}): ${made.sizeBytes} bytes, ${made.resources.length} ranges\n`,
      );
      return made;
    } catch (error) {
      refused.push(`${name}: ${error.message}`);
      return undefined;
    }
  };
  for (const model of modelsOf(qemu)) {
    const behind = await attempt(model.name, () => recordModel(model, 'root-port'));
    // Express or conventional, a function on the root bus answers differently: an integrated endpoint.
    if (behind === undefined || behind.sizeBytes === 4096) {
      await attempt(model.name, () => recordModel(model, 'root-complex'));
    }
  }
  for (const function_ of builtIn) await attempt(function_.name, () => recordBuiltIn(function_));
  await attempt('nvme virtual function', () => recordVirtualFunction(qemu, { record, image }));
  for (const line of refused) process.stdout.write(`not recorded: ${line}\n`);
  return records;
}

if (values['check-linux'] !== undefined) {
  const records = readFileSync(output, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  process.exitCode = (await checkUnderLinux(qemu, values['check-linux'], records)) ? 0 : 1;
} else {
  const records = await recordAll();
  if (values.only === undefined) {
    writeFileSync(output, `${records.map((one) => JSON.stringify(one)).join('\n')}\n`);
    process.stdout.write(`${records.length} functions in ${output}\n`);
  } else {
    process.stdout.write(`${JSON.stringify(records, null, 1)}\n`);
  }
}
