// The lab's hand in dom0: runs commands and moves files, asked by frames over a virtio-serial port.
//
// request                                        answers (all carry the request's id)
//   exec   {command, timeoutMs, cwd, env}        stdout*, stderr* (bodies), exit {exitCode, signal, timedOut}
//   input  {} body: bytes, {end: true}           none; for the exec of that id
//   kill   {}                                    none; ends the exec of that id
//   write  {path, append, mode} body             done
//   read   {path, offset, length}                data {end} body
//   listen {path}                                accepted*, data* (bodies), closed*: a unix socket, one peer at a time
//   tty    {path}                                accepted, data* (bodies), closed: a terminal
//   send   {} body                               none; to the peer or terminal of that id
//   hangup {}                                    none; closes the socket or terminal of that id
// failed {message, errno} answers any of them. `hello` opens the conversation.
import { spawn } from 'node:child_process';
import { constants, openSync, promises, read, readdirSync, readFileSync, rmSync, write } from 'node:fs';
import { createServer } from 'node:net';
import { ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { encodeFrame, FrameDecoder } from './framing.mjs';

const portName = 'xenpt.agent';
const pieceBytes = 64 * 1024;
/** After a command's end, what it left in the background may hold its pipes open; this long they are still read. */
const lingerMs = 500;
/** So long a console's bytes are gathered. */
const gatherMs = 100;

const port = openPort();
const running = new Map();
const lines = new Map();

function openPort() {
  for (const name of readdirSync('/sys/class/virtio-ports')) {
    const title = readFileSync(`/sys/class/virtio-ports/${name}/name`, 'utf8').trim();
    if (title === portName) return openSync(`/dev/${name}`, constants.O_RDWR);
  }
  throw new Error(`This machine has no virtio port "${portName}".`);
}

let outgoing = Promise.resolve();
const writeOnce = promisify(write);
function send(head, body) {
  const frame = encodeFrame(head, body);
  outgoing = outgoing.then(async () => {
    for (let offset = 0; offset < frame.length;) {
      const { bytesWritten } = await writeOnce(port, frame, offset, Math.min(frame.length - offset, pieceBytes));
      offset += bytesWritten;
    }
  });
  return outgoing;
}

function pump(decoder, buffer) {
  read(port, buffer, 0, buffer.length, null, (error, bytesRead) => {
    if (error) throw error;
    // Zero: nobody is connected at the other end.
    if (bytesRead === 0) return setTimeout(pump, 50, decoder, buffer);
    for (const { head, body } of decoder.push(Buffer.from(buffer.subarray(0, bytesRead)))) dispatch(head, body);
    pump(decoder, buffer);
  });
}

const operations = { exec, input, kill, write: writeFile, read: readPiece, listen, tty, send: sendToPeer, hangup };

function dispatch(head, body) {
  Promise.resolve()
    .then(() => operations[head.op](head, body))
    .catch((error) => send({ id: head.id, type: 'failed', message: error.message, errno: error.code }));
}

function exec({ id, command, timeoutMs, cwd, env }) {
  const child = spawn('/bin/bash', ['-c', command], {
    cwd: cwd ?? '/root',
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let timedOut = false;
  let ended = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, timeoutMs);
  child.stdin.on('error', () => {});
  for (const type of ['stdout', 'stderr']) {
    child[type].on('data', (chunk) => {
      if (ended) return;
      child[type].pause();
      void send({ id, type }, chunk).then(() => child[type].resume());
    });
  }
  const finish = (exitCode, signal) => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    running.delete(id);
    child.stdout.destroy();
    child.stderr.destroy();
    send({ id, type: 'exit', exitCode, signal, timedOut });
  };
  child.on('error', (error) => {
    ended = true;
    clearTimeout(timer);
    running.delete(id);
    send({ id, type: 'failed', message: error.message, errno: error.code });
  });
  child.on('close', finish);
  child.on('exit', (exitCode, signal) => setTimeout(finish, lingerMs, exitCode, signal));
  running.set(id, child);
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

function input({ id, end }, body) {
  const stdin = running.get(id)?.stdin;
  if (body.length > 0) stdin?.write(Buffer.from(body));
  if (end) stdin?.end();
}

function kill({ id }) {
  const child = running.get(id);
  if (child) killGroup(child);
}

async function writeFile({ id, path, append, mode }, body) {
  await promises.writeFile(path, body, { flag: append ? 'a' : 'w', mode });
  if (!append && mode !== undefined) await promises.chmod(path, mode);
  send({ id, type: 'done' });
}

async function readPiece({ id, path, offset, length }) {
  const file = await promises.open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    send({ id, type: 'data', end: bytesRead < length }, buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

function listen({ id, path }) {
  rmSync(path, { force: true });
  const line = { peer: undefined, close: () => server.close(() => rmSync(path, { force: true })) };
  const server = createServer((peer) => adopt(id, line, peer));
  lines.set(id, line);
  server.on('error', (error) => send({ id, type: 'failed', message: error.message, errno: error.code }));
  server.listen(path, () => send({ id, type: 'listening' }));
}

function tty({ id, path }) {
  const line = { peer: undefined, close: () => {} };
  lines.set(id, line);
  adopt(id, line, new ReadStream(openSync(path, constants.O_RDWR | constants.O_NOCTTY)).setRawMode(true));
}

function adopt(id, line, peer) {
  line.peer = peer;
  send({ id, type: 'accepted' });
  peer.on('data', (chunk) => {
    send({ id, type: 'data' }, chunk);
    // A console speaks a few bytes at a time; to wake up for each would take the guest's processor from it.
    peer.pause();
    setTimeout(() => peer.resume(), gatherMs);
  });
  peer.on('error', () => {});
  peer.on('close', () => {
    if (line.peer === peer) line.peer = undefined;
    send({ id, type: 'closed' });
  });
}

function sendToPeer({ id }, body) {
  lines.get(id)?.peer?.write(Buffer.from(body));
}

function hangup({ id }) {
  const line = lines.get(id);
  lines.delete(id);
  line?.peer?.destroy();
  line?.close();
}

await send({
  type: 'hello',
  node: process.version,
  uptime: Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]),
});
pump(new FrameDecoder(), Buffer.alloc(pieceBytes));
