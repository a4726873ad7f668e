import type { JsonObject } from './json.js';

/** One entry of a command map. `args: void`: takes none. `oob: true`: may be executed out of band. */
export interface CommandShape {
  readonly args: unknown;
  readonly result: unknown;
  readonly oob?: true;
}

/** Names that no stable map lists: unstable commands and downstream extensions. They are typed `unknown`. */
export type ExtensionName = `x-${string}` | `__${string}`;

/** The commands that `execute` takes; any other goes through `raw`. */
export type CommandName<C> = (keyof C & string) | ExtensionName;

/** The commands of a map that may be executed out of band. */
export type OobName<C> = { [N in keyof C & string]: C[N] extends { oob: true } ? N : never }[keyof C & string];

/** The arguments of a command; `void` when it takes none. */
export type CommandArgs<C, N> = N extends keyof C
  ? C[N] extends { args: infer A }
    ? A
    : never
  : JsonObject | undefined;

/** What a command returns; `unknown` for a name that the map does not know. */
export type CommandResult<C, N> = N extends keyof C ? (C[N] extends { result: infer R } ? R : never) : unknown;

/** The rest of `execute`'s parameters: arguments may be left out when none of them is required. */
export type CommandRest<A, O> = [A] extends [void]
  ? [args?: undefined | null | Record<string, never>, options?: O]
  : [A] extends [object]
    ? Record<never, never> extends A
      ? [args?: A, options?: O]
      : [args: A, options?: O]
    : [args?: A, options?: O];

/** The events that can be waited for by name. */
export type EventName<E> = (keyof E & string) | ExtensionName;

/** An asynchronous message of QEMU (qmp-spec 2.5). */
export interface QmpEvent<N extends string = string, D = unknown> {
  readonly event: N;
  /** `undefined` for an event that carries nothing. */
  readonly data: D;
  /** QEMU's clock; -1 when it could not read it. Rate-limited events keep their first time: it may run backwards. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

/** The events of the given names, as a union that `event` tells apart. */
export type EventOf<E, N extends string> = N extends keyof E ? QmpEvent<N, E[N]> : QmpEvent<N>;
