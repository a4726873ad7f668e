import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { RequestPage } from '../support/request-page.js';
import { slot } from '../support/rig.js';

it('I11: whoever waits when the model ends is answered before the channel is closed and the server destroyed', () => {
  const rig = runningRig();
  const page = new RequestPage(5);
  for (let vcpu = 0; vcpu < 5; vcpu += 1) page.ask(vcpu, { type: 2, address: BigInt(slot) << 32n, read: true });
  page.call({ id: 1, method: 'stop', argument: null });
  expect(page.serve(rig)).toBe('stopped');
  expect(page.log).toEqual(['disable', ...Array<string>(5).fill('complete'), 'close', 'destroy']);
  expect(page.answers.map(({ low }) => low)).toEqual(Array(5).fill(0xffff_ffff));
  expect(page.violations).toEqual([]);
  rig.hypervisor.assertBaseline();
});
