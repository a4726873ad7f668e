import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { oddRequests, RequestPage } from '../support/request-page.js';
import { home, slot } from '../support/rig.js';

it('I1: every request goes from ready by in process to response ready, once, whoever asks and whatever', () => {
  const rig = runningRig();
  const page = new RequestPage(4);
  const all = [...Array(4).keys()].flatMap(() => oddRequests(slot, home.bar3));
  const left = [...all];
  const ask = (vcpu: number) => {
    const fields = left.pop();
    if (fields !== undefined) page.ask(vcpu, fields);
  };
  page.onAnswer = ask;
  for (let vcpu = 0; vcpu < 4; vcpu += 1) ask(vcpu);
  page.serve(rig);
  expect([page.violations, left, page.answers.length]).toEqual([[], [], all.length]);
  expect(new Set(page.answers.map(({ vcpu }) => vcpu)).size).toBe(4);
  rig.hypervisor.assertBaseline();
});
