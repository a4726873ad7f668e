import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addAssignable,
  attach,
  detach,
  listGuestDevices,
  listInventory,
  XenOperationError,
} from '../../../src/xen/index.js';
import { createFakeHost } from '../../../src/xen/testing/index.js';
import { CARD, readyHost } from '../hosts.js';

const nodes = [
  '/libxl/pci/0000-03-00-0/domid',
  '/libxl/pci/0000-03-00-0/driver_path',
  '/libxl/pci/0000-03-00-0/name',
  '/libxl/5/type',
  '/local/domain/5/name',
  '/local/domain/0/backend/pci/5/0/num_devs',
  '/local/domain/0/backend/pci/5/0/dev-0',
  '/local/domain/0/backend/pci/5/0/vdevfn-0',
  '/local/domain/0/backend/pci/5/0/opts-0',
] as const;

const odd = fc.oneof(
  fc.constantFrom(
    '',
    '-1',
    '5 ',
    '0x5',
    '99999999999999999999',
    '1e3',
    '../../etc',
    '\0',
    '\u001b[2J',
    '0000:03:00.0',
  ),
  fc.constant('x'.repeat(4096)),
  fc.string({ maxLength: 20, unit: 'binary' }),
  fc.constant(null),
);

test('X2: a node of any length and characters, or none, is a refusal or nothing, never a wrong call', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...nodes), odd), { minLength: 1, maxLength: 4 }),
      async (set) => {
        const host = createFakeHost();
        try {
          await addAssignable(host, CARD);
          for (const [node, value] of set) {
            if (value === null) host.store.remove(node);
            else host.store.seed({ [node]: value });
          }
          listInventory(host);
          for (const operation of [
            () => attach(host, { domain: '5', spec: CARD }),
            () => listGuestDevices(host, '5'),
            () => detach(host, { domain: '5', device: CARD }),
          ]) {
            await operation().catch((error: unknown) => expect(error).toBeInstanceOf(XenOperationError));
          }
          // Of another domain or device nothing was touched.
          const calls = host.journal.calls.filter((call) =>
            /^(xc_(de)?assign|xc_domain_io|model\.(at|de)tach)/.test(call),
          );
          for (const call of calls) expect(call).toMatch(/^(xc_(de)?assign_device (5|32753) 768|\S+ 5 )/);
        } finally {
          host.close();
        }
      },
    ),
    { numRuns: 60 },
  );
});

test.each(nodes)('X2: of a device that is attached, %s as anything', async (node) => {
  for (const value of ['nonsense', '', '\0', '9'.repeat(400), 'ff:ff.f', '255']) {
    const host = await readyHost();
    await attach(host, { domain: '5', spec: CARD });
    host.store.seed({ [node]: value });
    listInventory(host);
    await listGuestDevices(host, '5');
    const detached = detach(host, { domain: '5', device: CARD });
    await detached.catch((error: unknown) => expect(error, value).toBeInstanceOf(XenOperationError));
  }
});
