import type { Commands, Events } from '../types/index.js';

/** The commands of `QmpClient` when no map is given. Add your own with `declare module '@xenpt/qmp-sdk'`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an interface can be augmented, a type can not
export interface DefaultCommands extends Commands {}

/** The events of `QmpClient` when no map is given. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- as above
export interface DefaultEvents extends Events {}
