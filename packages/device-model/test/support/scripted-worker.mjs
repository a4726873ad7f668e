// Stands in for the worker: the domain id chooses how it behaves.
import { parentPort, workerData } from 'node:worker_threads';

const plain = (message, code = null, left = []) => ({ name: 'Error', message, code, step: null, left });
const send = (message) => parentPort.postMessage(message);

const behaviours = {
  1: {},
  2: { start: () => send({ type: 'fatal', error: plain('no /dev/xen/privcmd', 'XEN_UNAVAILABLE') }) },
  3: { start: () => setInterval(() => {}, 1000) },
  4: {
    view: () => {
      throw new Error('a defect');
    },
  },
  5: { view: () => {} },
  6: { stop: (id) => fail(id, plain('left: pirq 16', 'DEVICE_MODEL_RELEASE_INCOMPLETE', ['pirq 16'])) },
  7: { detach: (id) => send({ type: 'failure', id, error: plain('ENODEV', 'XEN_CALL_FAILED') }) },
  8: { stop: (id) => send({ type: 'result', id, value: null }) },
};
const behaviour = behaviours[workerData.domid];

function end(id) {
  send({ type: 'result', id, value: null });
  parentPort.close();
}

function fail(id, error) {
  send({ type: 'failure', id, error });
  parentPort.close();
}

if (behaviour.start) behaviour.start();
else {
  parentPort.on('message', ({ id, method, argument }) => {
    if (behaviour[method]) behaviour[method](id);
    else if (method === 'stop' || method === 'domainDied') end(id);
    else send({ type: 'result', id, value: { method, argument } });
  });
  send({ type: 'log', text: 'hello' });
  send({ type: 'ready', serverId: 3 });
}
