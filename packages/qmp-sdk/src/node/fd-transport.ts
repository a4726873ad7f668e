import { Socket } from 'node:net';
import process from 'node:process';
import { getSystemErrorName } from 'node:util';
import { QmpUnsupportedError } from '../qmp/errors.js';
import type { QmpTransport } from '../qmp/transport.js';
import { socketTransport } from './socket-transport.js';

/*
 * Node can send a file descriptor only over a pipe of kind IPC, the one it uses between its own processes, and has no
 * public way to make one. The binding behind it is internal and deprecated but stable since Node 10; where it is not
 * there (other runtimes, the permission model) passing is not supported, and nothing else is affected.
 */
interface PipeHandle {
  open(fd: number): number;
  connect(request: object, path: string): number;
  writeUtf8String(request: object, text: string, handle?: PipeHandle): number;
  close(): void;
}

interface PipeBinding {
  readonly Pipe: new (kind: number) => PipeHandle;
  readonly PipeConnectWrap: new () => { oncomplete?: (status: number) => void };
  readonly WriteWrap: new () => { oncomplete?: (status: number) => void };
  readonly constants: { readonly SOCKET: number; readonly IPC: number };
}

function pipeBinding(): PipeBinding | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => object };
  try {
    const found = { ...binding?.call(process, 'pipe_wrap'), ...binding?.call(process, 'stream_wrap') };
    return 'Pipe' in found && 'PipeConnectWrap' in found && 'WriteWrap' in found ? (found as PipeBinding) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether this runtime can pass file descriptors over a Unix socket. */
export function canPassFds(): boolean {
  return process.platform !== 'win32' && pipeBinding() !== undefined;
}

// A handle that wraps a descriptor would close it when it is closed itself, and there is no other way to let it go. So
// there is one for each number, it stays, and the descriptor remains the caller's.
const handles = new Map<number, PipeHandle>();

function handleFor(fd: number, binding: PipeBinding): PipeHandle {
  const known = handles.get(fd);
  if (known !== undefined) return known;
  const handle = new binding.Pipe(binding.constants.SOCKET);
  throwIfFailed(handle.open(fd), `open file descriptor ${fd}`);
  handles.set(fd, handle);
  return handle;
}

/**
 * Connects to a Unix socket in the way that can pass file descriptors.
 *
 * @throws QmpUnsupportedError when this runtime can not; the system's error (`code`: ENOENT, …) without connection.
 */
export async function openFdTransport(
  path: string,
  description: string,
  holder: () => Promise<number | undefined>,
): Promise<QmpTransport> {
  const binding = canPassFds() ? pipeBinding() : undefined;
  if (binding === undefined) {
    throw new QmpUnsupportedError(
      'this runtime can not pass file descriptors',
      'Hand them to QEMU when it starts (-add-fd), or use Node.js on Linux or macOS.',
    );
  }
  const pipe = await connectPipe(binding, path);
  // The socket reads and notices the end; frames go to the handle itself, which keeps their order.
  const socket = new Socket({ handle: pipe } as ConstructorParameters<typeof Socket>[0]);
  const transport = socketTransport(socket, description, holder);
  return {
    ...transport,
    passesFds: true,
    write(text, fd) {
      const handle = fd === undefined ? undefined : handleFor(fd, binding);
      throwIfFailed(pipe.writeUtf8String(new binding.WriteWrap(), text, handle), 'write');
    },
    end: () => void socket.end(() => socket.destroy()),
  };
}

function connectPipe(binding: PipeBinding, path: string): Promise<PipeHandle> {
  const pipe = new binding.Pipe(binding.constants.IPC);
  return new Promise((resolve, reject) => {
    const settle = (status: number): void => {
      if (status === 0) resolve(pipe);
      else {
        pipe.close();
        reject(systemError(status, 'connect'));
      }
    };
    const request = new binding.PipeConnectWrap();
    request.oncomplete = settle;
    const status = pipe.connect(request, path);
    if (status !== 0) settle(status);
  });
}

function throwIfFailed(status: number, what: string): void {
  if (status !== 0) throw systemError(status, what);
}

function systemError(status: number, what: string): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${what} ${code}`), { code, errno: status });
}
