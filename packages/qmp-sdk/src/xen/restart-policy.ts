import { type LibxlConfig, readLibxlConfig } from './libxl-config.js';

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
 * Whether the toolstack starts a domain again that has shut down: what libxl keeps of its configuration says so
 * (libxl_domain_config of libxl_types.idl, in JSON, without the members that stand at their default, which is
 * `destroy`). It is read at once, and again when it is asked for: libxl removes it with the domain, which may be
 * quicker than we are, and then what was read last holds.
 */
export class RestartPolicy {
  readonly #path: string;
  #config: LibxlConfig | undefined;

  /** @param path libxl's file of that domain */
  constructor(path: string) {
    this.#path = path;
    this.#read();
  }

  /**
   * Where there never was such a file, only a reboot is taken for a restart.
   *
   * @param code SHUTDOWN_* of xen/include/public/sched.h
   */
  restartsAfter(code: number): boolean {
    this.#read();
    if (this.#config === undefined) return code === REBOOT;
    const member = MEMBERS[code];
    return member !== undefined && RESTARTS.has(this.#config[member]);
  }

  #read(): void {
    try {
      this.#config = readLibxlConfig(this.#path) ?? this.#config;
    } catch {
      // Nothing that libxl has written; what was read before is.
    }
  }
}
