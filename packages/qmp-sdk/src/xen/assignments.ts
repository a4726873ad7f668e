import { readFileSync } from 'node:fs';
import type { ExpectedDevice, FunctionIdentity } from '@xenpt/pci';
import { describeError, errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { Sysfs } from './host.js';
import { type Override, overrides } from './journal.js';
import { Fields, oneOf } from './journal-format.js';

/** What is kept assignable over restarts; an administrator may read it, xenpt writes it. */
export const ASSIGNMENTS_PATH = '/etc/xenpt/assignments.json';

/** A device that is kept assignable, by what it is. */
export interface Assignment {
  /** Where it was when it was last seen: for people. What counts is the identity. */
  readonly address: string;
  readonly identity: FunctionIdentity;
  /** Folder of the driver that it goes back to. */
  readonly driver: string | null;
  readonly overrides: readonly Override[];
}

const MAX_ASSIGNMENTS = 256;
const ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;
const PATH = /^[0-9a-f]{4}:[0-9a-f]{2}(?:\/[01][0-9a-f]\.[0-7]){1,32}$/;
const DRIVER = /^\/sys\/bus\/pci\/drivers\/[\w-][\w.-]*$/;

/**
 * The devices that are kept assignable on this host or in a captured tree.
 *
 * @throws XenOperationError XENPT_STEP_FAILED when the file is not as xenpt writes it
 */
export function readAssignments({ root }: Pick<Sysfs, 'root'>): readonly Assignment[] {
  const path = root + ASSIGNMENTS_PATH;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errnoName(error) ?? '')) return [];
    throw error;
  }
  try {
    return parseAssignments(JSON.parse(text));
  } catch (error) {
    throw new XenOperationError(XenErrorCode.stepFailed, `${path} cannot be read: ${describeError(error)}`, {
      cause: error,
      next: 'Correct it, or remove it and add the devices again with --persist.',
    });
  }
}

/** The inverse of {@link readAssignments}. */
export function formatAssignments(assignments: readonly Assignment[]): string {
  return `${JSON.stringify({ schemaVersion: 1, assignments }, null, 2)}\n`;
}

/** What the rules of the inventory compare with. */
export function expectedDevices(assignments: readonly Assignment[]): ExpectedDevice[] {
  return assignments.map(({ address, identity }) => ({ address, identity, source: ASSIGNMENTS_PATH }));
}

function parseAssignments(value: unknown): Assignment[] {
  const file = new Fields(value);
  if (file.number('schemaVersion') !== 1) throw new TypeError('schemaVersion is not 1');
  const list = file.list('assignments');
  if (list.length > MAX_ASSIGNMENTS) throw new TypeError(`more than ${MAX_ASSIGNMENTS} assignments`);
  return list.map((one) => {
    const fields = new Fields(one);
    return {
      address: fields.text('address', ADDRESS),
      identity: parseIdentity(fields.object('identity')),
      driver: fields.textOrNull('driver', DRIVER),
      overrides: fields.list('overrides').map((name) => oneOf('overrides', name, overrides)),
    };
  });
}

function parseIdentity(fields: Fields): FunctionIdentity {
  return {
    path: fields.text('path', PATH),
    vendorId: fields.number('vendorId'),
    deviceId: fields.number('deviceId'),
    subsystemVendorId: fields.number('subsystemVendorId'),
    subsystemDeviceId: fields.number('subsystemDeviceId'),
    classCode: fields.number('classCode'),
    serialNumber: fields.textOrNull('serialNumber', /^[0-9a-f]{16}$/),
    slotLabel: fields.textOrNull('slotLabel'),
  };
}
