import { PciError } from '../errors.js';

/** A table of the firmware that is not what the specification says. */
export function malformedTable(table: string, problem: string): PciError {
  return new PciError('ACPI_TABLE_INVALID', {
    problem: `The ACPI table ${table} cannot be used: ${problem}.`,
    nextStep: 'Nothing was guessed from it; look for a firmware update, and in the kernel log for its own complaint.',
  });
}
