// The thread that serves one guest. It opens its own handles: those of xen-bindings stay on their thread.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { messageOf } from './errors.js';
import { GuestModel, type GuestModelOptions } from './guest-model.js';
import { openHostDevice } from './host-device.js';
import { RequestHandler } from './ioreq.js';
import { toPlainError, type WorkerCall, type WorkerMessage, type WorkerOptions } from './protocol.js';
import { LogLimiter } from './report.js';
import { sendDevices, serve, type ControlPort } from './serve.js';
import { nothingYet } from './state.js';
import { StateFile } from './state-file.js';
import { Statistics } from './statistics.js';
import { openXenServer, type XenServer } from './xen-server.js';

function controlPort(port: MessagePort): ControlPort {
  return {
    // Polled: this thread never returns to its event loop while it serves.
    receive: () => receiveMessageOnPort(port)?.message as WorkerCall | undefined,
    send: (message: WorkerMessage) => port.postMessage(message),
  };
}

/** The server that a former process has left, or a new one. */
function openServer(options: WorkerOptions, { meter }: Statistics, stateFile: StateFile | null): XenServer {
  const { domid, vcpuCount, wakePort } = options;
  const place = { domid, vcpuCount, wakePort, meter };
  const found = stateFile?.found ?? null;
  if (found !== null) return openXenServer(place, { left: found.serverId });
  try {
    return openXenServer(place, { onCreated: (serverId) => stateFile?.save({ serverId, ...nothingYet }) });
  } catch (error) {
    stateFile?.remove();
    throw error;
  }
}

function savingTo(stateFile: StateFile | null, serverId: number): Pick<GuestModelOptions, 'save' | 'saveWords'> {
  if (stateFile === null) return {};
  return {
    save: (state) => stateFile.save({ serverId, ...state }),
    saveWords: (changes) => stateFile.saveWords(changes),
  };
}

function run(port: MessagePort, options: WorkerOptions): void {
  const control = controlPort(port);
  const log = new LogLimiter(
    (text) => control.send({ type: 'log', text }),
    () => performance.now(),
  );
  const report = log.report.bind(log);
  const statistics = new Statistics(options.statistics);
  const stateFile = options.statePath === undefined ? null : new StateFile(options.statePath);
  const found = stateFile?.found ?? null;
  const server = openServer(options, statistics, stateFile);
  const { serverId } = server;
  try {
    const model = new GuestModel({
      hypervisor: server.hypervisor,
      openDevice: (sbdf, sysroot) => openHostDevice(sbdf, sysroot === undefined ? {} : { sysroot }),
      report,
      statistics,
      ...savingTo(stateFile, serverId),
      ...(options.placement === undefined ? {} : { placement: options.placement }),
    });
    const onFault = (error: unknown) => report('request', messageOf(error));
    const handler = new RequestHandler(model, server.memory, onFault, statistics);
    if (found !== null) model.restore(found);
    sendDevices({ control, model });
    control.send({ type: 'ready', serverId });
    try {
      serve({ port: server.port, control, server, handler, model, report });
    } finally {
      // However it ended, everything was released.
      stateFile?.remove();
    }
  } finally {
    server.close();
    stateFile?.close();
  }
}

if (parentPort !== null) {
  try {
    run(parentPort, workerData as WorkerOptions);
  } catch (error) {
    parentPort.postMessage({ type: 'fatal', error: toPlainError(error) } satisfies WorkerMessage);
  }
}
