// The thread that serves one guest. It opens its own handles: those of xen-bindings stay on their thread.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { messageOf } from './errors.js';
import { GuestModel } from './guest-model.js';
import { openHostDevice } from './host-device.js';
import { RequestHandler } from './ioreq.js';
import { toPlainError, type WorkerCall, type WorkerMessage, type WorkerOptions } from './protocol.js';
import { LogLimiter } from './report.js';
import { serve, type ControlPort } from './serve.js';
import { openXenServer } from './xen-server.js';

function controlPort(port: MessagePort): ControlPort {
  return {
    // Polled: this thread never returns to its event loop while it serves.
    receive: () => receiveMessageOnPort(port)?.message as WorkerCall | undefined,
    send: (message: WorkerMessage) => port.postMessage(message),
  };
}

function run(port: MessagePort, options: WorkerOptions): void {
  const control = controlPort(port);
  const log = new LogLimiter(
    (text) => control.send({ type: 'log', text }),
    () => performance.now(),
  );
  const report = log.report.bind(log);
  const server = openXenServer(options);
  try {
    const model = new GuestModel({
      hypervisor: server.hypervisor,
      openDevice: (sbdf, sysroot) => openHostDevice(sbdf, sysroot === undefined ? {} : { sysroot }),
      report,
      ...(options.placement === undefined ? {} : { placement: options.placement }),
    });
    const onFault = (error: unknown) => report('request', messageOf(error));
    const handler = new RequestHandler(model, server.memory, onFault);
    control.send({ type: 'ready', serverId: server.serverId });
    serve({ port: server.port, control, server, handler, model, report });
  } finally {
    server.close();
  }
}

if (parentPort !== null) {
  try {
    run(parentPort, workerData as WorkerOptions);
  } catch (error) {
    parentPort.postMessage({ type: 'fatal', error: toPlainError(error) } satisfies WorkerMessage);
  }
}
