export const maxFrameBytes: number;
export function encodeFrame(head: object, body?: Uint8Array): Buffer;
export class FrameDecoder {
  push(chunk: Buffer): Generator<{ head: unknown; body: Buffer }, void, undefined>;
}
