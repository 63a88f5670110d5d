/**
 * The phases of an invocation, in the order they happen. Whatever lists, stores or names phases goes by this table: boxes
 * and messages of the pool, statistics, metrics, Server-Timing, OpenAPI and the benchmarks.
 */

/** Each phase: its name everywhere, what the time in it is spent on, and the runtimes that have it. */
export const PHASES = [
  { key: 'queue', title: 'waiting for a thread or a guest', runtimes: ['wasm', 'container', 'process'] },
  { key: 'compile', title: 'compiling; a module is compiled when it is deployed, so this is 0', runtimes: ['wasm'] },
  { key: 'create', title: 'creating the container', runtimes: ['container'] },
  { key: 'attach', title: 'attaching to its streams', runtimes: ['container'] },
  { key: 'instantiate', title: 'making the micro-VM, or what of it is made for each call', runtimes: ['wasm'] },
  { key: 'start', title: 'starting the container or the process', runtimes: ['container', 'process'] },
  { key: 'restore', title: 'restoring the micro-VM, as far as the call waited for it', runtimes: ['wasm'] },
  { key: 'run', title: 'the guest itself', runtimes: ['wasm', 'container', 'process'] },
  { key: 'collect', title: 'taking its output', runtimes: ['wasm', 'container', 'process'] },
  {
    key: 'remove',
    title: 'clearing the guest away, where the answer waited for it',
    runtimes: ['container', 'process'],
  },
] as const;

type Phase = (typeof PHASES)[number];
type PhaseRuntime = Phase['runtimes'][number];
type KeyOf<Runtime extends PhaseRuntime, Each = Phase> = Each extends Phase
  ? Runtime extends Each['runtimes'][number]
    ? Each['key']
    : never
  : never;

/** Name of any phase. */
export type PhaseKey = Phase['key'];

/** Name of a phase in a Wasm executor. */
export type PhaseName = KeyOf<'wasm'>;

/** Name of a phase in a container; a process has some of these. */
export type ContainerPhaseName = KeyOf<'container'>;

/** The name of every phase of any executor, in the order they happen. */
export const ALL_PHASES: readonly PhaseKey[] = PHASES.map(({ key }) => key);

/** The names of the phases in a Wasm executor, in the order they happen. */
export const WASM_PHASES: readonly PhaseName[] = PHASES.filter(isOfWasm).map(({ key }) => key);

function isOfWasm(phase: Phase): phase is Phase & { readonly key: PhaseName } {
  return (phase.runtimes as readonly PhaseRuntime[]).includes('wasm');
}

/**
 * Nanoseconds spent in each phase; a phase that did not happen is 0. Those that only containers have are absent from
 * the outcomes of other executors, and `remove` is absent where the answer did not wait for it.
 */
export type Phases = Readonly<Record<PhaseName, number> & Partial<Record<ContainerPhaseName, number>>>;

/** Phases that all read 0. */
export const NO_PHASES: Phases = { queue: 0, compile: 0, instantiate: 0, restore: 0, run: 0, collect: 0 };

// These three are on the path of every call and written out, because a loop over keys takes three times as long. They go
// by the order of the table, to which test/host/phases.test.ts holds them.

/** Writes the phases of a Wasm executor to `row` from `at` on, one by one in the order of `WASM_PHASES`. */
export function storeWasmPhases(row: Float64Array | number[], at: number, phases: Phases): void {
  row[at] = phases.queue;
  row[at + 1] = phases.compile;
  row[at + 2] = phases.instantiate;
  row[at + 3] = phases.restore;
  row[at + 4] = phases.run;
  row[at + 5] = phases.collect;
}

/** Reads what `storeWasmPhases` wrote. */
export function loadWasmPhases(row: Float64Array | readonly number[], at: number): Phases {
  return {
    queue: row[at] as number,
    compile: row[at + 1] as number,
    instantiate: row[at + 2] as number,
    restore: row[at + 3] as number,
    run: row[at + 4] as number,
    collect: row[at + 5] as number,
  };
}

/**
 * Writes all phases to `row` from `at` on, one by one in the order of `ALL_PHASES`; one that did not happen is 0.
 * @returns their sum, in nanoseconds
 */
export function storeAllPhases(row: Float32Array, at: number, phases: Phases): number {
  const { queue, compile, instantiate, restore, run, collect } = phases;
  const { create = 0, attach = 0, start = 0, remove = 0 } = phases;
  row[at] = queue;
  row[at + 1] = compile;
  row[at + 2] = create;
  row[at + 3] = attach;
  row[at + 4] = instantiate;
  row[at + 5] = start;
  row[at + 6] = restore;
  row[at + 7] = run;
  row[at + 8] = collect;
  row[at + 9] = remove;
  return queue + compile + create + attach + instantiate + start + restore + run + collect + remove;
}
