import { QmpProtocolError } from './errors.js';

/*
 * QEMU ends every message with CRLF. A message is one line, or, with `-mon pretty=on`, many:
 *
 *   {"return": {}, "id": 0}\r\n          {\r\n
 *                                            "return": {\r\n
 *                                            }\r\n
 *                                        }\r\n
 *
 * A line that is `{` alone opens such a message; it ends with the line that closes that bracket. A string never holds
 * a raw line end, so brackets can be counted line by line.
 */

/** Cuts a stream into messages and never holds more than `maxMessageBytes` of one. */
export class MessageFramer {
  readonly #maxMessageBytes: number;
  readonly #line = new TextPieces();
  readonly #message = new TextPieces();
  #depth = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Bytes of a message that is not complete. */
  get pendingBytes(): number {
    return this.#line.length + this.#message.length;
  }

  /**
   * Gives `receive` every message that `chunk` completes; it may be one, many or none. `receive` returns false when
   * the rest is of no interest any more.
   *
   * @throws QmpProtocolError kind `too-large`; the stream can not be continued then.
   */
  push(chunk: string, receive: (message: string) => boolean): void {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      const line = this.#takeLine(chunk, start, end);
      start = end + 1;
      const message = this.#depth === 0 && !opensPretty(line) ? line : this.#continuePretty(line);
      if (message !== undefined && !isBlank(message) && !receive(message)) return;
    }
    if (start === chunk.length) return;
    this.#reserve(chunk.length - start);
    this.#line.push(start === 0 ? chunk : chunk.slice(start));
  }

  #takeLine(chunk: string, start: number, end: number): string {
    this.#reserve(end - start);
    if (this.#line.length === 0) return chunk.slice(start, end);
    this.#line.push(chunk.slice(start, end));
    return this.#line.take();
  }

  #continuePretty(line: string): string | undefined {
    // With its line end: two tokens on two lines must not become one.
    this.#message.push(`${line}\n`);
    this.#depth = depthAfter(line, this.#depth);
    if (this.#depth > 0) return undefined;
    this.#depth = 0;
    return this.#message.take();
  }

  #reserve(bytes: number): void {
    if (this.pendingBytes + bytes <= this.#maxMessageBytes) return;
    throw new QmpProtocolError('too-large', `a message is longer than ${this.#maxMessageBytes} bytes`, {
      next: 'Raise maxMessageBytes if a reply of that size is expected.',
    });
  }
}

/** A text that grows by pieces of any size, in memory of its own order: single bytes are joined 1024 at a time. */
class TextPieces {
  #blocks: string[] = [];
  #recent: string[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: string): void {
    if (piece === '') return;
    this.#length += piece.length;
    this.#recent.push(piece);
    if (this.#recent.length < 1024) return;
    this.#blocks.push(this.#recent.join(''));
    this.#recent = [];
  }

  take(): string {
    const text = this.#blocks.join('') + this.#recent.join('');
    this.#blocks = [];
    this.#recent = [];
    this.#length = 0;
    return text;
  }
}

const opensPretty = (line: string): boolean => line === '{\r' || line === '{';

const isBlank = (text: string): boolean => text === '' || (text.charCodeAt(0) <= 0x20 && text.trim() === '');

/** The depth after `line`; 0 also when it ends inside a string, which no JSON does: the parser says what is wrong. */
function depthAfter(line: string, before: number): number {
  let depth = before;
  let inString = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index];
    if (character === '"') inString = !inString;
    else if (inString) {
      if (character === '\\') index += 1;
    } else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
  }
  return inString ? 0 : depth;
}
