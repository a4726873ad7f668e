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
  9: { ready: () => holdRequest() },
};
const behaviour = behaviours[workerData.domid];

/** What the bindings and the worker write while a call to Xen for a guest's write takes its time. */
function holdRequest() {
  const words = new Float64Array(workerData.statistics);
  const bytes = new Uint8Array(workerData.statistics);
  const request = new DataView(workerData.statistics, 32, 32);
  request.setUint32(0, 4, true);
  request.setUint32(4, 5 << 3, true);
  request.setUint32(16, 1, true);
  request.setUint32(20, 2, true);
  bytes[32 + 31] = 2;
  words[1] = 1;
  const [requests, effects, interrupts] = [33, 33 + 8, 33 + 8 + 30];
  const [denied, activity] = [interrupts + 3, interrupts + 4];
  for (const index of [requests, effects + 1, interrupts + 2, denied]) words[index] = 1;
  words[activity] = 7;
  words[0] = Number(process.hrtime.bigint());
  send({ type: 'devices', sbdfs: ['0000:01:00.0'] });
}

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
  behaviour.ready?.();
  send({ type: 'ready', serverId: 3 });
}
