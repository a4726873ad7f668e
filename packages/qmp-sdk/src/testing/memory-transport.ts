import type { QmpTransport, TransportSink } from '../qmp/transport.js';
import type { SessionStream } from './fake-session.js';

/** What a fake monitor gives for a stream: where its bytes go, and whom to tell that the client left. */
export interface AttachedClient {
  receive(latin1: string): void;
  left(): void;
}

/** A client's end of a stream in memory. What it writes arrives in a later turn, as over a socket. */
export function memoryTransport(attach: (stream: SessionStream) => AttachedClient): QmpTransport {
  let client: AttachedClient | undefined;
  let over = false;
  const leave = (): void => {
    if (over) return;
    over = true;
    client?.left();
  };
  const finish = (sink: TransportSink, reason: 'eof' | 'reset'): void => {
    if (over) return;
    leave();
    sink.closed(reason, reason === 'reset' ? new Error('read ECONNRESET') : undefined);
  };
  return {
    description: 'memory',
    open(sink) {
      client = attach({
        send: (latin1) => {
          if (!over) sink.data(latin1);
        },
        end: () => finish(sink, 'eof'),
        reset: () => finish(sink, 'reset'),
      });
    },
    write(text) {
      const latin1 = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
      queueMicrotask(() => {
        if (!over) client?.receive(latin1);
      });
    },
    end: leave,
    destroy: leave,
  };
}
