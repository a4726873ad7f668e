/** A refusal as xen-bindings would throw it. */
export class FakeXenError extends Error {
  override readonly name = 'XenCallError';
  readonly code = 'XEN_CALL_FAILED';
  readonly call: string;
  readonly errnoName: string;

  constructor(call: string, errnoName: string) {
    super(`${call}: ${errnoName}`);
    this.call = call;
    this.errnoName = errnoName;
  }
}
