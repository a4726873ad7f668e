import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { LabError, LabErrorCode } from '../errors.js';

interface Reply {
  readonly QMP?: object;
  readonly event?: string;
  readonly return?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly desc: string };
}

/** The machine's end of a monitor closed, or said something that is no answer. */
const describeEnd = (command: string) =>
  new LabError(LabErrorCode.machineEnded, `QEMU's monitor closed while "${command}" was open.`);

/**
 * A few commands to this lab's own QEMU, one after another (QMP). The lab is built before the packages it tests, so it
 * does not use their client.
 */
export class Monitor {
  readonly #socket: Socket;
  readonly #replies: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** Throws what {@link execute} throws, and the socket's own error. */
  static async open(path: string): Promise<Monitor> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => undefined);
    const monitor = new Monitor(socket);
    try {
      await monitor.#answer('greeting', (reply) => reply.QMP);
      await monitor.execute('qmp_capabilities');
      return monitor;
    } catch (cause) {
      monitor.close();
      throw cause;
    }
  }

  /** Throws LabError `LAB_HOST_COMMAND_FAILED` with QEMU's reason, or `LAB_MACHINE_ENDED`. */
  async execute(command: string, args: object = {}): Promise<Readonly<Record<string, unknown>>> {
    this.#socket.write(JSON.stringify({ execute: command, arguments: args }));
    return this.#answer(command, ({ return: value, error }) => {
      if (error) throw new LabError(LabErrorCode.hostCommandFailed, `QEMU refused "${command}": ${error.desc}.`);
      return value;
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #answer<T>(command: string, pick: (reply: Reply) => T | undefined): Promise<T> {
    for (;;) {
      const line = await this.#replies.next();
      if (line.done) throw describeEnd(command);
      const picked = pick(JSON.parse(line.value) as Reply);
      if (picked !== undefined) return picked;
    }
  }
}
