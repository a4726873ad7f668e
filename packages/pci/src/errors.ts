/**
 * Every error this package throws on purpose.
 *
 *   PciError              what PCI says is broken or unsupported
 *   ├─ GrammarError       a text of the entry `./grammar`, adds `text`, `line`, `column`, `suggestion`
 *   └─ SysfsError         a file of the host's inventory (entry `./sysfs`), adds `path`
 */

/** Stable: programs branch on these; messages may be reworded. */
export const pciErrorCodes = [
  'PCI_SBDF_SYNTAX',
  'PCI_SEGMENT_NOT_ON_XEN',
  'PCI_GRAMMAR',
  'PCI_CONFIG_LENGTH',
  'PCI_FUNCTION_ABSENT',
  'PCI_HEADER_TYPE_UNSUPPORTED',
  'PCI_RESOURCE_INVALID',
  'PCI_ALLOW_SYNTAX',
  'PCI_ALLOW_REFUSED',
  'PCI_ROM_INVALID',
  'PCI_DUMP_SYNTAX',
  'ACPI_TABLE_INVALID',
  'TREE_ARCHIVE_INVALID',
  'SYSFS_FUNCTION_NOT_FOUND',
  'SYSFS_ACCESS_DENIED',
  'SYSFS_MALFORMED',
  'SYSFS_IO',
  'SYSFS_RESET_UNSUPPORTED',
  'SYSFS_ROM_ABSENT',
] as const;

export type PciErrorCode = (typeof pciErrorCodes)[number];

/** What went wrong, with the value and the limit in it, and what to do next. */
export interface PciErrorDetails {
  readonly problem: string;
  readonly nextStep: string;
  readonly cause?: unknown;
}

/** `message` is the problem and the next step as sentences; `nextStep` is the second part alone. */
export class PciError extends Error {
  override name = 'PciError';
  readonly code: PciErrorCode;
  readonly nextStep: string;

  constructor(code: PciErrorCode, details: PciErrorDetails) {
    super(
      `${details.problem} ${details.nextStep}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.nextStep = details.nextStep;
  }
}
