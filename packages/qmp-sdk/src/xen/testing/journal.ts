/** An error as the Xen bindings throw it. */
export class FakeCallError extends Error {
  readonly call: string;
  readonly errnoName: string;

  constructor(call: string, errnoName: string) {
    super(`${call} failed with ${errnoName}`);
    this.name = 'FakeCallError';
    this.call = call;
    this.errnoName = errnoName;
  }
}

/** Every call into the fakes, in order, and the place to make one of them fail. */
export class Journal {
  readonly calls: string[] = [];
  #failAt: number | undefined;

  /** Makes the call number `index` (from 0, counted from now) fail with EIO before it does anything; once. */
  failAt(index: number | undefined): void {
    this.#failAt = index === undefined ? undefined : this.calls.length + index;
  }

  /** @throws FakeCallError if this is the call that has to fail. */
  enter(call: string, ...details: readonly (string | number | bigint | boolean)[]): void {
    const index = this.calls.length;
    this.calls.push(
      [
        call,
        ...details.map((detail) => (typeof detail === 'bigint' ? `0x${detail.toString(16)}` : String(detail))),
      ].join(' '),
    );
    if (index === this.#failAt) throw new FakeCallError(call, 'EIO');
  }
}
