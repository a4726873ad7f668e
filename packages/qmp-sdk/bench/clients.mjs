import { connect as connectSocket } from 'node:net';
import { QMPClient } from 'node-qemu';
import QmpSocket from 'qemu-qmp';

/** Every client as `{ query, close }`, sequential and with eight callers. */
export function openers(sdk) {
  const xenpt = (options) => async (socket) => {
    const client = await sdk.connect({ unix: socket }, options);
    return { query: () => client.execute('query-status'), close: () => client.close() };
  };
  const kinds = {
    'raw socket': openRaw,
    '@xenpt/qmp-sdk': xenpt({}),
    '@xenpt/qmp-sdk (all ids)': xenpt({ omitLoneId: false }),
    '@xenpt/qmp-sdk (one at a time)': xenpt({ maxInFlight: 1 }),
    '@xenpt/qmp-sdk (no OOB)': xenpt({ oob: 'never' }),
    'node-qemu 1.3.0': openNodeQemu,
    'qemu-qmp 0.5.0': openQemuQmp,
  };
  return Object.entries(kinds).flatMap(([name, open]) => [
    { name: `${name}, sequential`, open, inFlight: 1 },
    { name: `${name}, 8 in flight`, open, inFlight: 8 },
  ]);
}

/** The least that can be called a client: one parse for each line, replies in the order of the requests. */
async function openRaw(path) {
  const socket = connectSocket(path);
  socket.setEncoding('utf8');
  const waiting = [];
  let rest = '';
  let id = 0;
  const send = (execute) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (execute !== undefined) socket.write(JSON.stringify({ execute, id: id++ % 8 }));
    });
  socket.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const message = JSON.parse(line);
      waiting.shift()(message.return);
    }
  });
  await send();
  await send('qmp_capabilities');
  return { query: () => send('query-status'), close: () => closed(socket) };
}

async function openNodeQemu(socketPath) {
  const client = new QMPClient({ socketPath });
  await client.connect();
  return { query: () => client.queryStatus(), close: () => client.close() };
}

function openQemuQmp(path) {
  const socket = new QmpSocket();
  return new Promise((resolve, reject) => {
    socket.connect(path, (error) => {
      if (error) return reject(error);
      const query = () =>
        new Promise((done, fail) =>
          socket.execute('query-status', (failure, value) => (failure ? fail(failure) : done(value))),
        );
      resolve({ query, close: () => closed(socket) });
    });
  });
}

function closed(socket) {
  return new Promise((resolve) => {
    socket.once('close', resolve);
    socket.destroy();
  });
}
