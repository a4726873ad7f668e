import { duplexPair } from './duplex-pair.js';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../assets/dom0/framing.mjs';
import { AgentClient } from '../../src/agent/client.js';
import { exec } from '../../src/agent/exec.js';
import { LabError, LabErrorCode } from '../../src/errors.js';

type Request = { op: string; id: number; command?: string; end?: boolean };

/** A client and the other end of its line. `answer` plays the agent. */
function connect(answer: (request: Request, reply: (head: object, body?: Buffer) => void, body: Buffer) => void) {
  const [near, far] = duplexPair();
  const decoder = new FrameDecoder();
  const reply = (head: object, body?: Buffer) => void far.write(encodeFrame(head, body));
  far.on('data', (chunk: Buffer) => {
    for (const { head, body } of decoder.push(chunk)) answer(head as Request, reply, body);
  });
  const client = new AgentClient(near, () => new LabError(LabErrorCode.machineEnded, 'QEMU ended.'));
  return { client, far, reply };
}

const noConsoles = () => [];

describe('exec', () => {
  it('keeps the output of commands that run at once apart', async () => {
    const started: number[] = [];
    const { client } = connect((request, reply) => {
      if (request.op !== 'exec') return;
      started.push(request.id);
      if (started.length < 2) return;
      for (const id of started) reply({ id, type: 'stdout' }, Buffer.from(`out of ${id}`));
      for (const id of started) reply({ id, type: 'stderr' }, Buffer.from(`err of ${id}`));
      for (const id of started.reverse()) reply({ id, type: 'exit', exitCode: id });
    });
    const results = await Promise.all([exec(client, 'a', {}, noConsoles), exec(client, 'b', {}, noConsoles)]);
    expect(results).toEqual([
      { exitCode: 1, stdout: 'out of 1', stderr: 'err of 1' },
      { exitCode: 2, stdout: 'out of 2', stderr: 'err of 2' },
    ]);
  });

  it('gives the input and closes it', async () => {
    const received: Buffer[] = [];
    const { client } = connect((request, reply, body) => {
      if (request.op !== 'input') return;
      received.push(Buffer.from(body));
      if (request.end) reply({ id: request.id, type: 'exit', exitCode: 0 });
    });
    const input = Buffer.alloc(600_000, 'input');
    await exec(client, 'cat', { input }, noConsoles);
    expect(Buffer.concat(received).equals(input)).toBe(true);
  });

  it('turns a signal into an exit code as a shell does', async () => {
    const { client } = connect(({ op, id }, reply) => {
      if (op === 'exec') reply({ id, type: 'exit', exitCode: null, signal: 'SIGSEGV' });
    });
    expect((await exec(client, 'crash', {}, noConsoles)).exitCode).toBe(139);
  });

  it('reports a timeout with what was printed before it, and the consoles', async () => {
    const { client } = connect(({ op, id }, reply) => {
      if (op !== 'exec') return;
      reply({ id, type: 'stdout' }, Buffer.from('so far'));
      reply({ id, type: 'exit', timedOut: true });
    });
    const consoles = () => [{ name: 'Xen and dom0', text: 'panic' }];
    const error: unknown = await exec(client, 'sleep 9', { timeoutMs: 5 }, consoles).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(LabError);
    expect(error).toMatchObject({ code: 'LAB_EXEC_TIMEOUT' });
    expect((error as LabError).message).toMatch(
      /"sleep 9" did not end within 5 ms[^]*so far[^]*Xen and dom0[^]*panic/,
    );
  });

  it('kills what is aborted', async () => {
    const operations: string[] = [];
    const controller = new AbortController();
    const { client } = connect(({ op }) => {
      operations.push(op);
      if (op === 'exec') controller.abort();
    });
    await expect(exec(client, 'x', { signal: controller.signal }, noConsoles)).rejects.toMatchObject({
      code: 'LAB_CLOSED',
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(operations).toContain('kill');
  });
});

describe('AgentClient', () => {
  it('rejects what is pending, and what comes after, when the line ends', async () => {
    const { client, far } = connect(() => undefined);
    const pending = exec(client, 'x', {}, noConsoles);
    far.destroy();
    await expect(pending).rejects.toMatchObject({ code: 'LAB_MACHINE_ENDED' });
    await expect(exec(client, 'y', {}, noConsoles)).rejects.toMatchObject({ code: 'LAB_MACHINE_ENDED' });
    await expect(client.hello).rejects.toMatchObject({ code: 'LAB_MACHINE_ENDED' });
  });

  it('rejects what is pending when the agent starts anew, and goes on', async () => {
    const { client, reply } = connect(({ op, id, command }, answer) => {
      if (op === 'exec' && command === 'after') answer({ id, type: 'exit', exitCode: 0 });
    });
    reply({ type: 'hello', node: 'v22' });
    await expect(client.hello).resolves.toMatchObject({ node: 'v22' });
    const pending = exec(client, 'before', {}, noConsoles);
    const restarted = client.restarted();
    reply({ type: 'hello', node: 'v22' });
    await expect(restarted).resolves.toBeUndefined();
    await expect(pending).rejects.toThrow('The agent in dom0 died');
    await expect(exec(client, 'after', {}, noConsoles)).resolves.toMatchObject({ exitCode: 0 });
  });

  it('rejects a request that is answered with a failure, or not at all', async () => {
    const { client } = connect(({ op, id }, reply) => {
      if (op === 'read') reply({ id, type: 'failed', message: 'ENOENT: /x' });
    });
    await expect(client.request({ op: 'read' }, undefined, 1000)).rejects.toThrow('ENOENT: /x');
    await expect(client.request({ op: 'write' }, undefined, 10)).rejects.toThrow('within 10 ms');
  });

  it('does not go on with a stream it cannot understand', async () => {
    const { client, far } = connect(() => undefined);
    far.write('login: this is no frame at all');
    await expect(client.hello).rejects.toMatchObject({ code: 'LAB_AGENT_FAILED' });
  });
});
