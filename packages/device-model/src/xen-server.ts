import {
  BufferedRequests,
  Control,
  DeviceModel as DeviceModelCalls,
  ForeignMemory,
  IoreqPort,
  type IoreqPortOptions,
  ResourceType,
} from '@xenpt/xen-bindings';
import { ForeignGuestMemory } from './guest-memory.js';
import type { Hypervisor } from './hypervisor.js';
import type { GuestMemory } from './ioreq.js';
import { Failures } from './failures.js';
import type { IoreqServer, RequestPort } from './serve.js';
import { XenHypervisor } from './xen-hypervisor.js';

/** An ioreq server of ours, enabled, with no range yet, and the handles that go with it. */
export interface XenServer extends IoreqServer {
  readonly serverId: number;
  readonly port: RequestPort;
  readonly hypervisor: Hypervisor;
  readonly memory: GuestMemory;
  /** Closes the handles; leaves the server as it is. */
  close(): void;
}

/** Frame 0 is the buffered page, which a server without buffering does not have. */
const synchronousFrame = 1;

/** Which server: a new one, told before Xen sends it anything, or that of a process that was killed. */
export type WhichServer = { readonly onCreated: (serverId: number) => void } | { readonly left: number };

/**
 * Create, have Xen make the page, enable, bind the event channels. The order matters: Xen writes the event channel of
 * each vCPU into the page when the server is enabled, and only if the page is there by then; IoreqPort reads them
 * from it.
 *
 * @throws XenUnavailableError or XenCallError; nothing of a new server is left behind then, a left one stays
 */
export function openXenServer(place: Omit<IoreqPortOptions, 'serverId'>, which: WhichServer): XenServer {
  const { domid, ...rest } = place;
  const undo: (() => void)[] = [];
  const opened = <T extends { close(): void }>(handle: T): T => {
    undo.push(() => handle.close());
    return handle;
  };
  const undoAll = () => {
    const failures = new Failures();
    for (const step of undo.splice(0).reverse()) failures.attempt(step);
  };
  try {
    const control = opened(Control.open());
    const calls = opened(DeviceModelCalls.open());
    const foreignMemory = opened(ForeignMemory.open());
    const handles = undo.length;
    const serverId = 'left' in which ? which.left : calls.createIoreqServer(domid, BufferedRequests.off);
    if ('onCreated' in which) {
      undo.push(() => calls.destroyIoreqServer(domid, serverId));
      which.onCreated(serverId);
    }
    const page = foreignMemory.mapResource(domid, ResourceType.ioreqServer, serverId, synchronousFrame, 1);
    undo.push(() => page.close());
    calls.setIoreqServerState(domid, serverId, true);
    const port = IoreqPort.open({ domid, serverId, ...rest });
    page.close();
    // From here on the server is given up by `destroy`, not by closing the handles.
    undo.splice(handles);
    return {
      serverId,
      port,
      hypervisor: new XenHypervisor({ domid, serverId, control, calls }),
      memory: new ForeignGuestMemory(foreignMemory, domid),
      disable: () => calls.setIoreqServerState(domid, serverId, false),
      destroy: () => calls.destroyIoreqServer(domid, serverId),
      close: () => {
        port.close();
        undoAll();
      },
    };
  } catch (error) {
    undoAll();
    throw error;
  }
}
