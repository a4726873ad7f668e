import { createServer, type Server } from 'node:net';

export type Answer = { readonly return: object } | { readonly error: { readonly desc: string } } | 'hang up';

/** QEMU's end of a monitor: greets, answers each command as told (success by default), says what it was asked. */
export async function fakeMonitor(
  path: string,
  answer: (command: string, args: Record<string, unknown>) => Answer | undefined,
): Promise<{ readonly asked: string[]; close(): void }> {
  const asked: string[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n');
    socket.on('data', (chunk: Buffer) => receive(chunk.toString()));
    function receive(text: string) {
      if (!text.startsWith('{')) return;
      const { execute, arguments: args } = JSON.parse(text) as {
        execute: string;
        arguments: Record<string, unknown>;
      };
      asked.push(execute);
      const said = answer(execute, args) ?? { return: {} };
      if (said === 'hang up') return socket.destroy();
      // An event may come between a command and its answer.
      socket.write(`{"event": "STOP", "timestamp": {}}\r\n${JSON.stringify(said)}\r\n`);
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { asked, close: () => void server.close() };
}
