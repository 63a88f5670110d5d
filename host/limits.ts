/** The limits of one function. Each has a default, an outcome or error of its own, and a test that reaches it. */

export interface Limits {
  /** Wall time of one invocation, in milliseconds; 0 means none (only sensible for trusted guests). */
  readonly timeoutMs: number;
  /** Time a component has for the head of a response of wasi:http, in milliseconds; 0 means `timeoutMs` alone. */
  readonly firstByteMs: number;
  /** Size all the guest's memories together may grow to, in bytes; a multiple of the 64 KiB page after rounding down. */
  readonly memoryBytes: number;
  /** Elements all the guest's tables together may grow to; V8 takes up to 32 bytes for each, twice where code changes tables. */
  readonly tableElements: number;
  /** Size of one invocation's input, in bytes; also of the arguments of a component's function. */
  readonly inputBytes: number;
  /** Bytes a guest may write to stdout in one invocation; also of the result of a component's function. */
  readonly outputBytes: number;
  /**
   * Bytes of a request's body that are received before a component has a thread for it, and bytes of its response that are
   * held for a client that reads slower than the guest writes. A guest whose client is behind by more may have to stop.
   */
  readonly bufferBytes: number;
  /** Bytes a guest may write to stderr in one invocation. */
  readonly stderrBytes: number;
  /** Descriptors a guest may hold at once, its standard streams and preopens included. */
  readonly openFiles: number;
  /** Resources of WASI 0.2 that a component may hold at once: streams, pollables, fields and the like. */
  readonly resources: number;
  /** Bytes an in-memory mount may hold, and files in it. */
  readonly filesystemBytes: number;
  readonly filesystemEntries: number;
  /** Invocations of the function that may wait. */
  readonly queueLength: number;
  /** Invocations of the function that may run at once. */
  readonly concurrency: number;
  /** Size of the module's binary, in bytes. */
  readonly moduleBytes: number;
  /** Time that preparing a module or a component may take, and transpiling one, each, in milliseconds. */
  readonly deployMs: number;
  /** Memory that the process which prepares may take for it, in bytes. */
  readonly deployMemoryBytes: number;
}

const MIB = 1024 * 1024;

/** What a function gets when its manifest says nothing. */
export const DEFAULT_LIMITS: Limits = {
  timeoutMs: 10_000,
  firstByteMs: 0,
  memoryBytes: 128 * MIB,
  tableElements: 1_000_000,
  inputBytes: 32 * MIB,
  outputBytes: 32 * MIB,
  bufferBytes: MIB,
  stderrBytes: 64 * 1024,
  openFiles: 64,
  resources: 10_000,
  filesystemBytes: 64 * MIB,
  filesystemEntries: 10_000,
  queueLength: 1024,
  concurrency: 64,
  moduleBytes: 64 * MIB,
  deployMs: 60_000,
  deployMemoryBytes: 1024 * MIB,
};

/** The name of a limit that a running guest can reach. */
export type LimitName = keyof Limits;

/** The defaults with what the manifest gives in their place. */
export function resolveLimits(given: Partial<Limits> = {}): Limits {
  return { ...DEFAULT_LIMITS, ...given };
}
