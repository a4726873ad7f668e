import type { QmpClient } from '@xenpt/qmp-sdk';
import { canPassFds, connect } from '@xenpt/qmp-sdk/node';
import { type GuestQmpOptions, withGuestQmp } from '@xenpt/qmp-sdk/xen';
import { UsageError } from './usage-error.js';
import type { VerbArgument, VerbContext, VerbOption, VerbOptionValues } from './verb.js';

/** The QEMU that a command is for: a guest's by its domain, or any by its socket. */
export interface QmpTarget {
  /** As the person named it. */
  readonly name: string;
  /** Connects, works, and lets go. */
  use<T>(work: (client: QmpClient) => Promise<T>): Promise<T>;
}

export const domainArgument: VerbArgument = {
  name: 'DOMAIN',
  description: 'id or name, as in xl list; not with --socket',
  optional: true,
};

export const socketOption: VerbOption = {
  flags: '--socket <PATH>',
  description: 'the QMP socket of any QEMU, instead of DOMAIN',
};

/**
 * Takes DOMAIN off the words, unless `--socket` is there.
 *
 * @throws UsageError when there is neither.
 */
export function takeTarget(
  context: VerbContext,
  words: readonly string[],
  options: VerbOptionValues,
  settings: Pick<GuestQmpOptions, 'timeoutMs'> & { readonly passFds?: boolean } = {},
): { target: QmpTarget; rest: readonly string[] } {
  const { signal } = context;
  const passFds = settings.passFds === true && canPassFds();
  const path = options['socket'];
  if (typeof path === 'string') {
    const use: QmpTarget['use'] = async (work) => {
      await using client = await connect({ unix: path }, { signal, passFds });
      return await work(client);
    };
    return { target: { name: path, use }, rest: words };
  }
  const [domain, ...rest] = words;
  if (domain === undefined) {
    throw new UsageError('neither a domain nor a socket', 'Name a DOMAIN, or give --socket PATH.');
  }
  const use: QmpTarget['use'] = (work) =>
    withGuestQmp(context.host, domain, (client) => work(client), { ...settings, signal, passFds });
  return { target: { name: domain, use }, rest };
}

/** @throws UsageError when words are left over. */
export function requireNoMore(words: readonly string[]): void {
  if (words.length === 0) return;
  throw new UsageError(`too many words: ${words.join(' ')}`, 'With --socket there is no DOMAIN.');
}
