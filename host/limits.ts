/** The limits of one function. Each has a default, an outcome or error of its own, and a test that reaches it. */

/** A limit in its own unit: what holds when a manifest says nothing, and between which values a manifest may choose. */
export interface LimitRange {
  readonly standard: number;
  readonly minimum: number;
  readonly maximum: number;
}

const KIB = 1024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;

/** The longest time that a timer of the machine's takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** Every limit: a row here is all that a manifest, an error message, `nebula serve --limit` and /openapi.json need. */
export const LIMITS = {
  /** Wall time of one invocation, in milliseconds; 0 means none (only sensible for trusted guests). */
  timeoutMs: { standard: 10_000, minimum: 0, maximum: LONGEST_MS },
  /** Time a component has for the head of a response of wasi:http, in milliseconds; 0 means `timeoutMs` alone. */
  firstByteMs: { standard: 0, minimum: 0, maximum: LONGEST_MS },
  /** Processor time of one invocation, what it waits left out, in milliseconds; 0 means none. */
  cpuMs: { standard: 0, minimum: 0, maximum: LONGEST_MS },
  /** Units that one invocation may count: steps of its code, the same on every machine; 0 means none. */
  units: { standard: 0, minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  /** Size all the guest's memories together may grow to, in bytes; a multiple of the 64 KiB page after rounding down. */
  memoryBytes: { standard: 128 * MIB, minimum: 64 * KIB, maximum: 4 * GIB },
  /** Elements all the guest's tables together may grow to; V8 takes up to 32 bytes for each, twice where code changes tables. */
  tableElements: { standard: 1_000_000, minimum: 0, maximum: 10_000_000 },
  /** Size of one invocation's input, in bytes; also of the arguments of a component's function. */
  inputBytes: { standard: 32 * MIB, minimum: 0, maximum: 2 * GIB },
  /** Bytes a guest may write to stdout in one invocation; also of the result of a component's function. */
  outputBytes: { standard: 32 * MIB, minimum: 0, maximum: 2 * GIB },
  /**
   * Bytes of a request's body that are received before a component has a thread for it, and bytes of its response that are
   * held for a client that reads slower than the guest writes. A guest whose client is behind by more may have to stop.
   */
  bufferBytes: { standard: MIB, minimum: 0, maximum: 64 * MIB },
  /** Bytes a guest may write to stderr in one invocation. */
  stderrBytes: { standard: 64 * KIB, minimum: 0, maximum: GIB },
  /** Descriptors a guest may hold at once, its standard streams and preopens included. */
  openFiles: { standard: 64, minimum: 3, maximum: 65_536 },
  /** Resources of WASI 0.2 that a component may hold at once: streams, pollables, fields and the like. */
  resources: { standard: 10_000, minimum: 1, maximum: 1_000_000 },
  /** Size of what a guest gives a binding, in bytes. */
  bindingRequestBytes: { standard: MIB, minimum: 0, maximum: GIB },
  /** Size of what a binding answers, in bytes. */
  bindingAnswerBytes: { standard: MIB, minimum: 0, maximum: GIB },
  /** Calls of bindings by the function's guests that may be under way, those among them whose guests have ended. */
  bindingCalls: { standard: 64, minimum: 1, maximum: 10_000 },
  /** Bytes an in-memory mount may hold. */
  filesystemBytes: { standard: 64 * MIB, minimum: 0, maximum: 4 * GIB },
  /** Files and directories an in-memory mount may hold. */
  filesystemEntries: { standard: 10_000, minimum: 0, maximum: 1_000_000 },
  /** Invocations of the function that may wait. */
  queueLength: { standard: 1024, minimum: 0, maximum: 1_000_000 },
  /** Invocations of the function that may run at once. */
  concurrency: { standard: 64, minimum: 1, maximum: 10_000 },
  /** Sessions of the function that may be open at once; each has a thread and an instance of its own. */
  sessions: { standard: 16, minimum: 0, maximum: 1000 },
  /** Time that a session may be open without a call, in milliseconds; then it is ended. */
  sessionIdleMs: { standard: 60_000, minimum: 1, maximum: LONGEST_MS },
  /** Size of the module's binary, in bytes. */
  moduleBytes: { standard: 64 * MIB, minimum: 8, maximum: GIB },
  /** Time that preparing a module or a component may take, and transpiling one, each, in milliseconds. */
  deployMs: { standard: 60_000, minimum: 1, maximum: LONGEST_MS },
  /** Memory that the process which prepares may take for it, in bytes. */
  deployMemoryBytes: { standard: GIB, minimum: 64 * MIB, maximum: 64 * GIB },
} as const satisfies Readonly<Record<string, LimitRange>>;

/** The name of a limit. */
export type LimitName = keyof typeof LIMITS;

/** Every limit's value, in its own unit. */
export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

/** What a function gets when its manifest says nothing. */
export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { standard }]) => [name, standard]),
) as Limits;

/** The defaults with what the manifest gives in their place. */
export function resolveLimits(given: Partial<Limits> = {}): Limits {
  return { ...DEFAULT_LIMITS, ...given };
}
