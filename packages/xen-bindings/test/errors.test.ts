import { describe, expect, it } from 'vitest';
import { XenCallError, XenError, XenUnavailableError, calling, errnoNameOf, fromNative } from '../src/errors.js';

const native = (fields: object): Error => Object.assign(new Error('native'), fields);

describe('errors from the addon become', () => {
  it('a call error with its errno by name', () => {
    const error = fromNative(native({ kind: 'call', call: 'xs_read', errno: 13, detail: '' }));
    expect(error).toBeInstanceOf(XenCallError);
    expect(error).toMatchObject({ name: 'XenCallError', errno: 13, errnoName: 'EACCES', call: 'xs_read' });
    expect((error as Error).message).toBe("xs_read failed with EACCES (13): the node's permissions forbid it");
  });

  it.each([
    [{ kind: 'library', library: 'xenctrl' }, XenUnavailableError, 'XEN_UNAVAILABLE'],
    [{ kind: 'symbol', library: 'xenctrl', symbol: 'xc_new' }, XenUnavailableError, 'XEN_UNAVAILABLE'],
    [{ kind: 'closed' }, XenError, 'XEN_CLOSED'],
    [{ kind: 'ioreq-not-open', vcpu: 3 }, XenError, 'XEN_IOREQ_NOT_OPEN'],
    [{ kind: 'ioreq-not-enabled', vcpu: 3 }, XenError, 'XEN_IOREQ_NOT_ENABLED'],
  ] as const)('%o', (fields, constructor, code) => {
    const error = fromNative(native(fields));
    expect(error).toBeInstanceOf(constructor);
    expect(error).toBeInstanceOf(XenError);
    expect(error).toMatchObject({ code });
  });

  it('themselves when they are something else', () => {
    const range = new RangeError('argument 1');
    expect(fromNative(range)).toBe(range);
    expect(() =>
      calling(() => {
        throw range;
      }),
    ).toThrow(range);
  });
});

it('an errno has the name that Xen uses, or UNKNOWN', () => {
  expect(errnoNameOf(16)).toBe('EBUSY');
  expect(errnoNameOf(95)).toBe('EOPNOTSUPP');
  expect(errnoNameOf(0)).toBe('UNKNOWN');
  expect(errnoNameOf(123_456)).toBe('UNKNOWN');
});

it('an unavailable thing comes with its next step', () => {
  const error = new XenUnavailableError('/dev/xen/evtchn', 'missing', 'modprobe xen-evtchn');
  expect(error.message).toBe('/dev/xen/evtchn: missing. Next step: modprobe xen-evtchn.');
  expect(error).toMatchObject({ missing: '/dev/xen/evtchn', nextStep: 'modprobe xen-evtchn' });
});

it('the particular meaning of an errno wins over the general one', () => {
  expect(new XenCallError('xc_domain_update_msi_irq', 3).message).toContain('created without an IOMMU');
  expect(new XenCallError('xc_domain_iomem_permission', 3).message).toContain('no such domain');
});
