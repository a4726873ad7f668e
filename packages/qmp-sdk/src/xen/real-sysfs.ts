import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { Sbdf } from '@xenpt/pci';
import { openConfigAccess, readFunctionRom, resetFunction } from '@xenpt/pci/sysfs';
import type { Sysfs } from './host.js';

/** PCI Local Bus 3.0 §6.2.2: Command at 04h, Bus Master Enable is bit 2. */
const COMMAND_OFFSET = 4;
const BUS_MASTER_ENABLE = 0x4;

/** The kernel's sysfs, or a tree that was copied from one. */
export function createSysfs(root: string): Sysfs {
  const options = { sysroot: root === '' ? '/' : root };
  return {
    root,
    write: (path, text) => writeAttribute(root + path, text),
    reset: (sbdf) => resetFunction(sbdf, options),
    readRom: (sbdf) => readFunctionRom(sbdf, options),
    disableBusMaster: (sbdf: Sbdf) => {
      const access = openConfigAccess(sbdf, options);
      try {
        const command = access.read(COMMAND_OFFSET, 2);
        // All ones: the device does not answer, so it does no DMA either.
        if (command !== 0xffff && (command & BUS_MASTER_ENABLE) !== 0) {
          access.write(COMMAND_OFFSET, 2, command & ~BUS_MASTER_ENABLE);
        }
      } finally {
        access[Symbol.dispose]();
      }
    },
    writeConfig: (sbdf, offset, value) => {
      const access = openConfigAccess(sbdf, options);
      try {
        access.write(offset, 4, value);
      } finally {
        access[Symbol.dispose]();
      }
    },
  };
}

/** One write(2), never creating a file: an attribute that is missing is an error. */
function writeAttribute(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
