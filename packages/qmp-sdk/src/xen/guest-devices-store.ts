import type { StoreView } from './host.js';

/** libxl takes some hundreds of disks; a folder that is longer is nothing it wrote. */
const MAX_DEVICES = 1024;
/** XenbusStateConnected (xen/include/public/io/xenbus.h). */
const CONNECTED = '4';

/** One paravirtual device, as libxl keeps it where no guest can write. */
export interface ParavirtualDevice {
  /** `51712`, `0`: libxl's number. */
  readonly id: string;
  /** What the guest itself says. */
  readonly connected: boolean;
  /** A node of libxl's record, or of the backend where the record has none. */
  readonly node: (name: string) => string | undefined;
}

/**
 * The devices of one kind (`vbd`, `vif`, `vfb`) that libxl gave a guest.
 *
 *     /libxl/DOMID/device/vbd/51712/{frontend,backend,params,…}
 *     /local/domain/DOMID/device/vbd/51712/state            the guest's
 */
export function listFrontends(store: StoreView, domid: number, kind: string): ParavirtualDevice[] {
  const folder = `/libxl/${domid}/device/${kind}`;
  const ids = (store.list(folder) ?? []).filter((id) => /^[0-9]+$/.test(id)).slice(0, MAX_DEVICES);
  return ids
    .sort((a, b) => Number(a) - Number(b))
    .map((id) => {
      const backend = store.read(`${folder}/${id}/backend`);
      const isBackend = backend !== null && /^\/local\/domain\/[0-9]+\/backend\//.test(backend);
      return {
        id,
        connected: store.read(`/local/domain/${domid}/device/${kind}/${id}/state`) === CONNECTED,
        node: (name) =>
          store.read(`${folder}/${id}/${name}`) ?? (isBackend ? store.read(`${backend}/${name}`) : null) ?? undefined,
      };
    });
}
