import { parseExactJson } from '../qmp/exact-json.js';
import { maximumNesting } from '../qmp/json.js';

const parsing = { unsafeIntegers: 'bigint', maxNesting: maximumNesting, refuseDuplicates: true } as const;

/** One thing a client sent: an object to execute, or something QEMU refuses without knowing for whom. */
export type Request = { readonly object: Readonly<Record<string, unknown>> } | { readonly refusal: string };

/**
 * Reads requests as QEMU does: objects back to back, over many lines, without any separator. A byte 0xFF, which no
 * UTF-8 has, drops what is incomplete and is answered with an error.
 */
export class RequestReader {
  #text = '';
  #depth = 0;
  #quote = '';
  #escaped = false;

  /** @param latin1 bytes, one character each. */
  push(latin1: string): Request[] {
    const requests: Request[] = [];
    for (const character of latin1) {
      const request = this.#step(character);
      if (request !== undefined) requests.push(request);
    }
    return requests;
  }

  #step(character: string): Request | undefined {
    if (character === '\xff') return this.#reset();
    if (this.#depth === 0) return this.#outside(character);
    if (this.#quote !== '') {
      this.#inString(character);
      return undefined;
    }
    this.#text += character === "'" ? '"' : character;
    if (character === '"' || character === "'") this.#quote = character;
    else if (character === '{' || character === '[') this.#depth += 1;
    else if (character === '}' || character === ']') this.#depth -= 1;
    if (this.#depth > maximumNesting) return this.#refuse('JSON parse error, nesting is too deep');
    return this.#depth === 0 ? this.#complete() : undefined;
  }

  #outside(character: string): Request | undefined {
    if (character === '{' || character === '[') {
      this.#text = character;
      this.#depth = 1;
      return undefined;
    }
    return /[\s,:]/.test(character) ? undefined : this.#refuse(`JSON parse error, stray '${character}'`);
  }

  /** A string in single quotes becomes one in double quotes. */
  #inString(character: string): void {
    if (this.#escaped) {
      this.#escaped = false;
      this.#text += character === "'" ? character : `\\${character}`;
    } else if (character === '\\') this.#escaped = true;
    else if (character === this.#quote) {
      this.#quote = '';
      this.#text += '"';
    } else this.#text += character === '"' ? '\\"' : character;
  }

  #complete(): Request {
    const bytes = Uint8Array.from(this.#text, (character) => character.charCodeAt(0));
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      const object = parseExactJson(text, parsing);
      if (Array.isArray(object)) return this.#refuse('QMP input must be a JSON object');
      this.#text = '';
      return { object: object as Record<string, unknown> };
    } catch (error) {
      return this.#refuse(`JSON parse error, ${(error as Error).message}`);
    }
  }

  #reset(): Request {
    return this.#refuse('JSON parse error, stray byte 0xFF');
  }

  #refuse(refusal: string): Request {
    this.#text = '';
    this.#depth = 0;
    this.#quote = '';
    this.#escaped = false;
    return { refusal };
  }
}
