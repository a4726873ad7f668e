import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { FakeGuestMemory, request } from '../support/guest.js';
import { oddRequests } from '../support/request-page.js';
import { home, slot } from '../support/rig.js';

/** A request of which every byte is another one after it was read, as if a processor wrote to the page meanwhile. */
class FlippingView extends DataView<ArrayBuffer> {
  override getUint8(offset: number): number {
    return this.#once(offset, 1, super.getUint8(offset));
  }

  override getUint32(offset: number, littleEndian?: boolean): number {
    return this.#once(offset, 4, super.getUint32(offset, littleEndian));
  }

  override getBigUint64(offset: number, littleEndian?: boolean): bigint {
    return this.#once(offset, 8, super.getBigUint64(offset, littleEndian));
  }

  #once<T>(offset: number, size: number, value: T): T {
    // The size is asked for twice by name: to dispatch, and to cut the answer. It decides on no access.
    if (offset === 20) return value;
    for (let at = offset; at < offset + size; at += 1) super.setUint8(at, super.getUint8(at) ^ 0xff);
    return value;
  }
}

it('I2: no field of a request is looked at twice: one that changes after it was read changes nothing', () => {
  const outcome = (flipping: boolean) => {
    const memory = new FakeGuestMemory(0x1000, 0x2000);
    const rig = runningRig(undefined, { memory });
    return oddRequests(slot, home.bar3).map((fields) => {
      const view = request(fields);
      rig.handler.handle(flipping ? new FlippingView(view.buffer as ArrayBuffer) : view);
      return [rig.handler.dataLow, rig.handler.dataHigh, { ...rig.handler.counts }, rig.faults.length];
    });
  };
  expect(outcome(true)).toEqual(outcome(false));
});
