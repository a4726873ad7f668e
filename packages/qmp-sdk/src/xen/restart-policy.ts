import { readLibxlConfig } from './libxl-config.js';

/** SHUTDOWN_* of xen/include/public/sched.h, and the member of libxl's configuration that says what follows. */
const MEMBERS: Readonly<Partial<Record<number, string>>> = {
  0: 'on_poweroff',
  1: 'on_reboot',
  3: 'on_crash',
  4: 'on_watchdog',
};
const REBOOT = 1;
/** Of libxl_action_on_shutdown, as its JSON has them: with underscores, where xl's own words have dashes. */
const RESTARTS: ReadonlySet<unknown> = new Set(['restart', 'coredump_restart', 'rename_restart']);

/**
 * Whether the toolstack starts a domain again that has shut down with this code: what libxl keeps of its configuration
 * says so (libxl_domain_config of libxl_types.idl, in JSON, without the members that stand at their default, which is
 * `destroy`). Without that file only a reboot is taken for one.
 *
 * @param path libxl's file of that domain
 */
export function restartsAfter(path: string, code: number): boolean {
  const config = readLibxlConfig(path);
  if (config === undefined) return code === REBOOT;
  const member = MEMBERS[code];
  return member !== undefined && RESTARTS.has(config[member]);
}
