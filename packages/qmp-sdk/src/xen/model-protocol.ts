import type { AttachedFunction, BarView, FunctionView, ModelStatus } from './model-client.js';

/**
 * JSON lines over the control socket of a guest's device model, one reply for one request, in order but for `status`:
 *
 *     {"id":1,"method":"attach","params":{"sbdf":"0000:03:00.0","guestDevfn":40}}
 *     {"id":1,"result":{"pirq":17,"hidden":[],"vectors":3}}
 *     {"id":2,"error":{"code":"…","message":"…","next":"…"}}
 */
export type ModelRequest =
  | { readonly id: number; readonly method: 'attach'; readonly params: AttachParams }
  | { readonly id: number; readonly method: 'detach' | 'view'; readonly params: { sbdf: string } }
  | { readonly id: number; readonly method: 'expectEjects'; readonly params: { passedOn: number } }
  | { readonly id: number; readonly method: 'status' | 'shutdown'; readonly params: Record<string, never> };

export type AttachParams = { readonly sbdf: string; readonly guestDevfn: number } & OpenedFields;

/** What the operator lets the guest write besides: see `GuestViewOptions` of `@xenpt/pci`, which judges the texts. */
export interface OpenedFields {
  readonly allow?: readonly string[];
  readonly permissive?: boolean;
  /** `off`: no expansion ROM; `file`: the one in the guest's folder. */
  readonly rom?: 'off' | 'file';
}

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

export type ModelReply =
  { readonly id: number; readonly result: unknown } | { readonly id: number | null; readonly error: WireError };

/** No request is near this long; a longer line is an accident or an attack. */
export const MAX_REQUEST_BYTES = 64 * 1024;
/** The view of a function with 2048 vectors (the limit of MSI-X) needs about 150 KiB. */
export const MAX_REPLY_BYTES = 1024 * 1024;

/** @throws TypeError, RangeError or SyntaxError with a sentence for the peer. */
export function parseRequest(line: string): ModelRequest {
  const value = JSON.parse(line) as Partial<Record<'id' | 'method' | 'params', unknown>> | null;
  if (typeof value !== 'object' || value === null) throw new TypeError('a request is an object');
  const { id, method } = value;
  const params = (typeof value.params === 'object' ? value.params : null) as Record<string, unknown> | null;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw new TypeError('id is an integer');
  switch (method) {
    case 'attach':
      return {
        id,
        method,
        params: { sbdf: textOf(params, 'sbdf'), guestDevfn: devfnOf(params), ...openedOf(params) },
      };
    case 'detach':
    case 'view':
      return { id, method, params: { sbdf: textOf(params, 'sbdf') } };
    case 'expectEjects':
      return { id, method, params: { passedOn: slotsOf(params?.['passedOn'], 'params.passedOn') } };
    case 'status':
    case 'shutdown':
      return { id, method, params: {} };
    default:
      throw new RangeError(`there is no method ${JSON.stringify(method)}`);
  }
}

export function parseReply(line: string): ModelReply {
  const value = JSON.parse(line) as ModelReply | null;
  if (typeof value !== 'object' || value === null || !('id' in value)) throw new TypeError('a reply has an id');
  return value;
}

interface WireView {
  readonly guest: string;
  readonly host: string;
  readonly bars: readonly (Omit<BarView, 'guestAddress'> & { readonly guestAddress: string | null })[];
  readonly vectors: FunctionView['vectors'];
  readonly denied?: FunctionView['denied'];
  readonly words?: FunctionView['words'];
  readonly hidden?: FunctionView['hidden'];
  readonly opened?: FunctionView['opened'];
}

/** Bytes become hexadecimal text and 64-bit addresses `0x…`, exact. */
export function encodeView(view: FunctionView): WireView {
  return {
    guest: Buffer.from(view.guest).toString('hex'),
    host: Buffer.from(view.host).toString('hex'),
    bars: view.bars.map((bar) => ({
      ...bar,
      guestAddress: bar.guestAddress === null ? null : `0x${bar.guestAddress.toString(16)}`,
    })),
    vectors: view.vectors.map(({ index, bound, pirq, masked }) => ({ index, bound, pirq, masked })),
    ...(view.denied && { denied: view.denied.map(({ offset, mask, count }) => ({ offset, mask, count })) }),
    ...(view.words && { words: view.words }),
    ...(view.hidden && { hidden: view.hidden }),
    ...(view.opened && { opened: view.opened }),
  };
}

export function decodeView(value: unknown): FunctionView {
  const view = value as WireView;
  return {
    guest: Uint8Array.from(Buffer.from(view.guest, 'hex')),
    host: Uint8Array.from(Buffer.from(view.host, 'hex')),
    bars: view.bars.map((bar) => ({
      ...bar,
      guestAddress: bar.guestAddress === null ? null : BigInt(bar.guestAddress),
    })),
    vectors: view.vectors,
    ...(view.denied && { denied: view.denied }),
    ...(view.words && { words: view.words }),
    ...(view.hidden && { hidden: view.hidden }),
    ...(view.opened && { opened: view.opened }),
  };
}

export function decodeAttached(value: unknown): AttachedFunction {
  return value as AttachedFunction;
}

export function decodeStatus(value: unknown): ModelStatus {
  return value as ModelStatus;
}

export function decodeSlots(value: unknown): number {
  return slotsOf(value, 'the result');
}

/** @throws RangeError */
function slotsOf(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw new RangeError(`${name} is a bit for each of 32 slots`);
}

function textOf(params: Record<string, unknown> | null, name: string): string {
  const value = params?.[name];
  if (typeof value !== 'string') throw new TypeError(`params.${name} is a text`);
  return value;
}

/** A function has 192 bytes behind its header; nobody opens a third of them one by one. */
const MAX_ALLOWED_FIELDS = 64;
const MAX_FIELD_CHARACTERS = 64;

function openedOf(params: Record<string, unknown> | null): OpenedFields {
  const allow = params?.['allow'];
  const permissive = params?.['permissive'];
  const rom = params?.['rom'];
  if (rom !== undefined && rom !== 'off' && rom !== 'file') throw new RangeError('params.rom is "off" or "file"');
  if (permissive !== undefined && typeof permissive !== 'boolean')
    throw new TypeError('params.permissive is a boolean');
  return {
    ...(allow === undefined ? {} : { allow: allowedOf(allow) }),
    ...(permissive === undefined ? {} : { permissive }),
    ...(rom === undefined ? {} : { rom }),
  };
}

function allowedOf(value: unknown): string[] {
  const isText = (one: unknown): one is string => typeof one === 'string' && one.length <= MAX_FIELD_CHARACTERS;
  if (!Array.isArray(value) || value.length > MAX_ALLOWED_FIELDS || !value.every(isText)) {
    throw new TypeError(`params.allow is a list of up to ${MAX_ALLOWED_FIELDS} fields`);
  }
  return value;
}

function devfnOf(params: Record<string, unknown> | null): number {
  const value = params?.['guestDevfn'];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xff) {
    throw new RangeError('params.guestDevfn is 0..255');
  }
  return value;
}
