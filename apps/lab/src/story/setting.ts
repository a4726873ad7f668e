import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab, type BootOptions } from '../lab.js';
import { LabError, LabErrorCode } from '../errors.js';
import type { LabDevice } from '../machine/devices.js';

export const payloadBytes = 4 * 1024 * 1024;

/** A booted lab with xenpt installed, and a file that its network's gateway gives out. */
export interface Setting {
  readonly lab: Lab;
  /** The card that is given away; `nic1` stays with dom0. */
  readonly sbdf: string;
  readonly payload: { readonly name: string; readonly sha256: string };
  readonly seconds: { readonly boot: number; readonly install: number };
  close(): Promise<void>;
}

export interface SettingOptions extends Pick<BootOptions, 'profile' | 'iommu' | 'signal' | 'onProgress'> {
  /** Folder with the packed packages, from `scripts/pack.mjs`. */
  readonly tarballs: string;
  /** Beside those of {@link sceneMachine}. */
  readonly moreDevices?: readonly LabDevice[];
  readonly moreXenArguments?: readonly string[];
}

/**
 * The machine in which everything plays: two network cards with MSI-X on Express ports; on the root bus a sound card
 * with MSI (`sound`) and a network card with nothing but its interrupt line (`nic2`).
 */
export function sceneMachine(
  tftpRoot?: string,
): Required<Pick<BootOptions, 'processors' | 'xenArguments' | 'devices'>> {
  return {
    // Measured: a guest is at its shell several times sooner than with two, which wait for each other.
    processors: 1,
    // Xen's log is read back by the scenarios; its default ring holds 16 KiB.
    xenArguments: ['conring_size=4M'],
    devices: [
      { kind: 'e1000e', id: 'nic0', rootPort: true, network: tftpRoot === undefined ? {} : { tftpRoot } },
      { kind: 'e1000e', id: 'nic1', rootPort: true, network: {} },
      { kind: 'ich9-intel-hda', id: 'sound' },
      { kind: 'rtl8139', id: 'nic2', network: {} },
    ],
  };
}

/** Boots a profile and installs our packages in its dom0, as a user would. */
export async function setTheScene(settingOptions: SettingOptions): Promise<Setting> {
  const { tarballs, moreDevices = [], moreXenArguments = [], ...options } = settingOptions;
  const packed = readdirSync(tarballs).filter((name) => name.endsWith('.tgz'));
  if (packed.length === 0) {
    throw new LabError(LabErrorCode.unknown, `No packed package in ${tarballs}: run scripts/pack.mjs.`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-tftp-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  const content = randomBytes(payloadBytes);
  writeFileSync(join(folder, 'payload.bin'), content);
  const started = performance.now();
  const { devices, xenArguments, ...scene } = sceneMachine(folder);
  const lab = await Lab.boot({
    ...scene,
    devices: [...devices, ...moreDevices],
    xenArguments: [...xenArguments, ...moreXenArguments],
    ...options,
  }).catch((cause: unknown) => {
    removeFolder();
    throw cause;
  });
  const close = async () => {
    await lab.close();
    removeFolder();
  };
  try {
    const booted = performance.now();
    await lab.installTarballs(packed.map((name) => join(tarballs, name)));
    return {
      lab,
      sbdf: lab.sbdf('nic0'),
      payload: { name: 'payload.bin', sha256: createHash('sha256').update(content).digest('hex') },
      seconds: { boot: (booted - started) / 1000, install: (performance.now() - booted) / 1000 },
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}
