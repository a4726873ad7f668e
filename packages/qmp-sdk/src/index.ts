export { XenptError, type XenptErrorOptions } from './errors.js';
export { QmpClient } from './qmp/client.js';
export type {
  CommandArgs,
  CommandName,
  CommandRest,
  CommandResult,
  CommandShape,
  EventName,
  EventOf,
  ExtensionName,
  OobName,
  QmpEvent,
} from './qmp/command-map.js';
export type { DefaultCommands, DefaultEvents } from './qmp/default-maps.js';
export {
  isCommandError,
  QmpAbortedError,
  QmpArgumentError,
  QmpClosedError,
  QmpCommandError,
  QmpConnectError,
  QmpError,
  QmpErrorCode,
  QmpEventOverflowError,
  QmpMonitorBusyError,
  QmpProtocolError,
  QmpQueueFullError,
  QmpTimeoutError,
  QmpUnsupportedError,
  type CloseReason,
  type CommandOutcome,
  type ConnectPhase,
  type ProtocolErrorKind,
} from './qmp/errors.js';
export type { EventOverflow, EventStream, EventStreamOptions } from './qmp/event-stream.js';
export type { UnsafeIntegers } from './qmp/exact-json.js';
export type { ExpectOptions } from './qmp/expect-event.js';
export type { Json, JsonObject } from './qmp/json.js';
export type { CloseInfo, ExecuteOptions, Greeting, QmpClientOptions, QmpStats, QmpWarning } from './qmp/options.js';
export { QmpSupervisor } from './qmp/default-supervisor.js';
export { supervise, type SupervisorChange, type SupervisorOptions } from './qmp/supervisor.js';
export {
  jsonlTranscript,
  parseTranscript,
  secretMembers,
  type Transcript,
  type TranscriptEntry,
  type TranscriptOptions,
} from './qmp/transcript.js';
export {
  transportFromDuplex,
  transportFromWebStreams,
  type DuplexLike,
  type QmpTransport,
  type TransportSink,
} from './qmp/transport.js';
