import { expectTypeOf, test } from 'vitest';
import type { QmpClient } from '../../src/qmp/client.js';
import type {
  CommandArgs,
  CommandName,
  CommandRest,
  CommandResult,
  EventName,
  EventOf,
  OobName,
  QmpEvent,
} from '../../src/qmp/command-map.js';
import type { JsonObject } from '../../src/qmp/json.js';

interface Commands {
  'query-status': { args: void; result: { status: 'running' | 'paused' } };
  device_del: { args: { id: string }; result: void };
  'query-stats': { args: { target?: string }; result: number; oob: true };
}
interface Events {
  STOP: void;
  DEVICE_DELETED: { device?: string; path: string };
}
type Rest<N> = CommandRest<CommandArgs<Commands, N>, 'options'>;

test('names, arguments and results come from the map', () => {
  expectTypeOf<'query-status'>().toExtend<CommandName<Commands>>();
  expectTypeOf<'query-typo'>().not.toExtend<CommandName<Commands>>();
  expectTypeOf<CommandResult<Commands, 'query-stats'>>().toEqualTypeOf<number>();
  expectTypeOf<Rest<'device_del'>>().toEqualTypeOf<[args: { id: string }, options?: 'options']>();
  expectTypeOf<Rest<'query-stats'>>().toEqualTypeOf<[args?: { target?: string }, options?: 'options']>();
  expectTypeOf<[]>().toExtend<Rest<'query-status'>>();
  expectTypeOf<[undefined, 'options']>().toExtend<Rest<'query-status'>>();
  expectTypeOf<[{ surplus: 1 }]>().not.toExtend<Rest<'query-status'>>();
});

test('only what may be executed out of band can be', () => {
  expectTypeOf<OobName<Commands>>().toEqualTypeOf<'query-stats'>();
});

test('unstable and downstream names are possible and unknown', () => {
  expectTypeOf<'x-new' | '__com.redhat_y'>().toExtend<CommandName<Commands>>();
  expectTypeOf<CommandResult<Commands, 'x-new'>>().toBeUnknown();
  expectTypeOf<CommandArgs<Commands, 'x-new'>>().toEqualTypeOf<JsonObject | undefined>();
});

test('events are told apart by their name', () => {
  type Either = EventOf<Events, 'STOP' | 'DEVICE_DELETED'>;
  expectTypeOf<Extract<Either, { event: 'STOP' }>>().toEqualTypeOf<QmpEvent<'STOP', void>>();
  expectTypeOf<Extract<Either, { event: 'DEVICE_DELETED' }>['data']>().toEqualTypeOf<Events['DEVICE_DELETED']>();
  expectTypeOf<'STOPP'>().not.toExtend<EventName<Events>>();
});

test('without a map every command of QEMU is known', () => {
  const status = (client: QmpClient) => client.execute('query-status');
  expectTypeOf(status).returns.resolves.toHaveProperty('running').toEqualTypeOf<boolean>();
  const stopped = (client: QmpClient) => client.expect('DEVICE_DELETED', ({ data }) => data.path !== '');
  expectTypeOf(stopped).returns.resolves.toHaveProperty('event').toEqualTypeOf<'DEVICE_DELETED'>();
  const anything = (client: QmpClient) => client.raw('anything');
  expectTypeOf(anything).returns.resolves.toBeUnknown();
});
