import { XenptError } from '@xenpt/qmp-sdk';

/** The words of a command line that commander cannot judge: exit code 2. */
export class UsageError extends XenptError {
  constructor(message: string, next: string) {
    super('XENPT_USAGE', message, { next });
    this.name = 'UsageError';
  }
}
