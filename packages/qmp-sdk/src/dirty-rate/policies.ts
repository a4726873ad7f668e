/** How a sender of guest memory decides when it has sent enough, and what a page costs it on the wire. */
export interface PrecopyPolicy {
  readonly name: 'xen' | 'xen-save' | 'qemu';
  /** For people. */
  readonly title: string;
  /** Rounds that may be sent while the guest runs; 0: it is paused before the first. */
  readonly maximumLiveRounds: number;
  /** Fewer dirty pages than this are sent once more, and then the guest is paused; 0: no such rule. */
  readonly fewPages: number;
  /** Goes on until what is left can be sent within the allowed pause, however long that takes. */
  readonly untilPauseFits: boolean;
  /**
   * With `untilPauseFits`: a round ends as soon as what it has not sent yet fits, and how often that is looked at,
   * milliseconds. 0 with the others: a round sends all it has.
   */
  readonly lookMs: number;
  /** Bytes on the wire for one page of guest memory, beside its content. */
  readonly pageOverheadBytes: number;
  /** Bytes for a page that has no memory behind it. */
  readonly holeBytes: number;
  /** Bytes for a page full of zeros; null: sent like any other. */
  readonly zeroPageBytes: number | null;
}

/**
 * A batch is at most MAX_BATCH_SIZE (1024) frames in one PAGE_DATA record: a record header of 8 bytes, the count and
 * a reserved word, 8 bytes, then 8 bytes for each frame and 4096 for each that has memory (xen/tools/libs/guest/
 * xg_save_restore.h, xg_sr_stream_format.h, docs/specs/libxc-migration-stream.pandoc). Zero pages are not told apart.
 */
const libxcRecord = { pageOverheadBytes: 8 + 16 / 1024, holeBytes: 8 + 16 / 1024, zeroPageBytes: null } as const;

/**
 * Each page follows 8 bytes of offset and flags; one of zeros is 1 more byte instead of its content (qemu
 * migration/ram.c, save_page_header, save_zero_page_to_file). A block's name, once per change of block, is left out.
 */
const qemuRam = { pageOverheadBytes: 8, holeBytes: 0, zeroPageBytes: 9 } as const;

export const precopyPolicies = {
  /**
   * `xl migrate`: libxl sets no policy of its own, so libxc's holds (xg_sr_save.c, simple_precopy_policy and
   * send_memory_live): SPP_MAX_ITERATIONS 5 rounds while the guest runs, the first with all pages, each of the others
   * with what the CLEAN before it found; or the pause after a round with fewer than SPP_TARGET_DIRTY_COUNT 50 pages.
   * What was dirtied during the last live round is sent while the guest is suspended. It never gives up.
   */
  xen: {
    name: 'xen',
    title: 'xl migrate (libxc): five rounds, or fewer than 50 dirty pages',
    maximumLiveRounds: 5,
    fewPages: 50,
    untilPauseFits: false,
    lookMs: 0,
    ...libxcRecord,
  },
  /** `xl save`, with and without -c: libxl_domain_suspend without LIBXL_SUSPEND_LIVE (tools/xl/xl_saverestore.c). */
  'xen-save': {
    name: 'xen-save',
    title: 'xl save (libxc): the guest is suspended, everything is sent once',
    maximumLiveRounds: 0,
    fewPages: 0,
    untilPauseFits: false,
    lookMs: 0,
    ...libxcRecord,
  },
  /**
   * QEMU: pauses when what is left fits into measured bandwidth times `downtime-limit` (migration_iteration_run). It
   * reads the log as soon as what it knew of fits, without sending that first (migration/ram.c, ram_save_pending, since
   * 8.0 ram_state_pending_exact), and looks after each ram_save_iterate of at most MAX_WAIT, 50 ms.
   */
  qemu: {
    name: 'qemu',
    title: 'QEMU precopy: until the rest fits into the allowed pause',
    maximumLiveRounds: Infinity,
    fewPages: 0,
    untilPauseFits: true,
    lookMs: 50,
    ...qemuRam,
  },
} as const satisfies Record<string, PrecopyPolicy>;

export type PrecopyPolicyName = keyof typeof precopyPolicies;
