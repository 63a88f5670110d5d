/**
 * The deployed functions and their versions. A new version is initialised and stored before it takes the place of the one
 * that runs, in one step; calls in flight finish on the one they started with. Changes of one function happen one after
 * the other, those of different functions at once.
 */

import { isNebulaError, messageOf, NebulaError } from '../../host/errors.ts';
import type { DeployReport, Executor } from '../../pools/executor.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import type { UnavailableFunction } from '../schema/stats.ts';
import { FunctionStatistics } from '../observe/function-statistics.ts';
import type { ObservedFunction, Observer } from '../observe/observer.ts';
import type { DefinitionDefaults, DefinitionSource } from './function-definition.ts';
import { defineForRuntime, type AnyDefinition } from './runtime-definition.ts';
import type { LoadedSource } from './source.ts';
import { digestInTurns } from './digest.ts';
import { type Store, type StoredFiles, type StoredFunction, type StoredVersion } from './store.ts';

/** Versions kept besides the current one. */
const PREVIOUS_VERSIONS = 5;

/** Functions of a store that are initialised at once when it is opened. */
const RESTORES_AT_ONCE = 4;

/** A function that can be invoked. Replaced as a whole by each change. */
export interface RegisteredFunction {
  readonly definition: AnyDefinition;
  readonly record: FunctionRecord;
  readonly statistics: FunctionStatistics;
  readonly observed: ObservedFunction;
  readonly stored: StoredFunction;
  /** What it was made of, where no store holds that and it may have to be prepared again. */
  readonly source?: DefinitionSource | undefined;
  /** Previous versions by number, when no store holds their modules. */
  readonly kept: ReadonlyMap<number, Kept>;
}

type Kept = Pick<RegisteredFunction, 'definition' | 'source'>;

interface Unavailable {
  readonly error: NebulaError;
  readonly stored?: StoredFunction;
}

/** What a registry works with. */
export interface RegistryOptions extends DefinitionDefaults {
  readonly executor: Executor<AnyDefinition>;
  readonly store?: Store;
  /** Those of all calls, besides each function's own statistics. */
  readonly observers?: readonly Observer[];
}

let sequence = 0;

/** Unique among all deployments of the process: a version that is deployed anew gets another one. */
function nextId(name: string, version: number): string {
  sequence += 1;
  return `${name}@${version}#${sequence}`;
}

/** The deployed functions by name, and their versions. */
export class Registry {
  /** By name. The hot path reads it. */
  readonly functions: Map<string, RegisteredFunction> = new Map();
  readonly #options: RegistryOptions;
  readonly #unavailable: Map<string, Unavailable> = new Map();
  readonly #turns: Map<string, Promise<void>> = new Map();
  readonly #retiring: Set<Promise<void>> = new Set();
  readonly #failures: unknown[] = [];
  /** Versions that are prepared again, or could not be. */
  readonly #preparedAgain: Set<string> = new Set();
  #isClosing = false;

  constructor(options: RegistryOptions) {
    this.#options = { ...options, isInThread: options.executor.kind === 'in-thread' };
    options.executor.watch?.((id) => this.#prepareAgain(id));
  }

  /** Brings back every function of the store. One that cannot be brought back is unavailable, and the others run. */
  async restore(): Promise<void> {
    const { store } = this.#options;
    if (store === undefined) return;
    const { functions, corrupt } = await store.load();
    for (const [name, error] of corrupt) this.#unavailable.set(name, { error });
    // What belongs to a record that cannot be read is not known: then nothing is deleted.
    const digests = functions.flatMap(({ versions }) => versions.map(({ digest }) => digest));
    if (corrupt.size === 0) await this.#options.components?.sweep(new Set(digests));
    const waiting = functions[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (const stored of waiting) await this.#restoreFunction(store, stored);
    };
    await Promise.all(Array.from({ length: RESTORES_AT_ONCE }, work));
  }

  /** What stands in the way of a function that is deployed but cannot run; undefined when it is not deployed at all. */
  errorOf(name: string): NebulaError | undefined {
    return this.#unavailable.get(name)?.error;
  }

  get unavailable(): readonly UnavailableFunction[] {
    return [...this.#unavailable].map(([name, { error }]) => ({ name, error }));
  }

  /** Makes `source` the current version of its function. */
  deploy(source: LoadedSource): Promise<FunctionRecord> {
    const { name } = source.manifest;
    return this.#inTurn(name, async () => {
      const before = this.functions.get(name);
      const stored = before?.stored ?? this.#unavailable.get(name)?.stored;
      const version = stored?.nextVersion ?? 1;
      const definition = await defineForRuntime(nextId(name, version), source, this.#options);
      const made: StoredVersion = {
        version,
        digest: 'prepared' in definition ? definition.prepared.digest : await digestInTurns(source.module),
        sizeBytes: source.module.length,
        deployedAt: new Date().toISOString(),
        manifest: source.manifest,
        ...(source.snapshot === undefined ? {} : { snapshotDigest: await digestInTurns(source.snapshot) }),
      };
      const previous = (stored?.versions ?? []).slice(0, PREVIOUS_VERSIONS);
      const next = { name, nextVersion: version + 1, versions: [made, ...previous] } as const;
      return this.#change({ definition, source }, next, source);
    });
  }

  /** Makes the version before the current one current again; the current one is forgotten. */
  rollback(name: string): Promise<FunctionRecord> {
    return this.#inTurn(name, async () => {
      const stored = this.functions.get(name)?.stored ?? this.#unavailable.get(name)?.stored;
      if (stored === undefined) throw this.errorOf(name) ?? new NebulaError('FUNCTION_NOT_FOUND', { name });
      const [, target, ...older] = stored.versions;
      if (target === undefined) throw new NebulaError('NO_PREVIOUS_VERSION', { name });
      const { definition, source } = await this.#redefine(name, target);
      return this.#change({ definition, source }, { ...stored, versions: [target, ...older] });
    });
  }

  /** Forgets a function and all its versions; calls in flight finish. */
  undeploy(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      const entry = this.functions.get(name);
      if (entry === undefined && !this.#unavailable.has(name)) throw new NebulaError('FUNCTION_NOT_FOUND', { name });
      await this.#options.store?.remove(name);
      this.functions.delete(name);
      this.#unavailable.delete(name);
      if (entry !== undefined) this.#retire(entry.definition.id);
    });
  }

  /** Waits for changes under way, drains the executor, gives up the store; what failed in the background is thrown now. */
  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#turns.values());
    await this.#options.executor.close(drainMs);
    await Promise.all(this.#retiring);
    await this.#options.store?.close();
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'Cannot drop versions that were replaced');
  }

  async #restoreFunction(store: Store, stored: StoredFunction): Promise<void> {
    const { name } = stored;
    const [current] = stored.versions;
    try {
      const files = await store.readFiles(name, current);
      const source = sourceOf(files, current);
      const definition = await defineForRuntime(nextId(name, current.version), source, this.#options);
      const report = await this.#options.executor.deploy(definition);
      this.#put({ definition, source }, stored, report, new Map());
    } catch (cause) {
      const error = isNebulaError(cause)
        ? cause
        : new NebulaError('INIT_FAILED', { name, detail: messageOf(cause) }, { cause });
      this.#unavailable.set(name, { error, stored });
    }
  }

  async #redefine(name: string, target: StoredVersion): Promise<Kept> {
    const id = nextId(name, target.version);
    const { store } = this.#options;
    if (store !== undefined) {
      const source = sourceOf(await store.readFiles(name, target), target);
      return { definition: await defineForRuntime(id, source, this.#options), source };
    }
    const kept = this.functions.get(name)?.kept.get(target.version);
    if (kept === undefined) throw new NebulaError('NO_PREVIOUS_VERSION', { name });
    return { ...kept, definition: { ...kept.definition, id } };
  }

  /**
   * A call of a version had to be stopped together with its thread: in the background it is prepared again so that its code
   * counts units, and takes its own place. Calls under way finish on the one they started with.
   */
  #prepareAgain(id: string): void {
    const entry = [...this.functions.values()].find(({ definition }) => definition.id === id);
    if (entry === undefined || this.#isClosing || this.#preparedAgain.has(id) || !mayCount(entry)) return;
    const { name } = entry.stored;
    this.#preparedAgain.add(id);
    void this.#inTurn(name, async () => {
      const [current, ...older] = entry.stored.versions;
      // Another version, or none, may have taken its place meanwhile.
      if (this.functions.get(name) !== entry || this.#isClosing) return;
      const stopped = { ...current, wasStopped: true };
      const { store } = this.#options;
      const files = store === undefined ? entry.source : await store.readFiles(name, current);
      if (files === undefined) return;
      const source = sourceOf(files, stopped);
      const definition = await defineForRuntime(nextId(name, current.version), source, this.#options);
      await this.#change({ definition, source }, { ...entry.stored, versions: [stopped, ...older] });
    }).then(
      () => this.#preparedAgain.delete(id),
      // As it is it runs on. What may succeed another time is tried again when it costs another thread.
      (error: unknown) => isNebulaError(error) && error.retryable && this.#preparedAgain.delete(id),
    );
  }

  /** Initialise, store, swap, retire: whatever fails before the swap leaves the function as it was. */
  async #change(made: Kept, stored: StoredFunction, files?: LoadedSource): Promise<FunctionRecord> {
    const { definition } = made;
    const { executor, store } = this.#options;
    const report = await executor.deploy(definition);
    try {
      await store?.write(stored, files);
    } catch (error) {
      this.#retire(definition.id);
      throw error;
    }
    const before = this.functions.get(definition.name);
    const record = this.#put(made, stored, report, this.#keep(before, stored));
    this.#unavailable.delete(definition.name);
    if (before !== undefined) this.#retire(before.definition.id);
    return record;
  }

  #keep(before: RegisteredFunction | undefined, stored: StoredFunction): ReadonlyMap<number, Kept> {
    const kept = new Map<number, Kept>();
    if (before === undefined || this.#options.store !== undefined) return kept;
    for (const { version } of stored.versions.slice(1)) {
      const each = version === before.record.version ? before : before.kept.get(version);
      if (each !== undefined) kept.set(version, { definition: each.definition, source: each.source });
    }
    return kept;
  }

  #put(
    { definition, source }: Kept,
    stored: StoredFunction,
    report: DeployReport,
    kept: ReadonlyMap<number, Kept>,
  ): FunctionRecord {
    const { name } = stored;
    const [{ version, digest, sizeBytes, deployedAt, manifest }, ...previous] = stored.versions;
    const record: FunctionRecord = {
      name,
      version,
      digest,
      sizeBytes,
      deployedAt,
      manifest,
      limits: definition.limits,
      ...('prepared' in definition && definition.budget !== undefined ? { budget: definition.budget } : {}),
      report,
      ...componentOf(definition),
      previous: previous.map((each) => each.version),
    };
    const statistics = this.functions.get(name)?.statistics ?? new FunctionStatistics();
    const observed = { name, version, observers: [statistics, ...(this.#options.observers ?? [])] };
    const { store, isInThread } = this.#options;
    const isSourceNeeded = store === undefined && isInThread !== true && mayCount({ definition, record });
    const made = { definition, source: isSourceNeeded ? source : undefined };
    this.functions.set(name, { ...made, record, statistics, observed, stored, kept });
    return record;
  }

  #retire(id: string): void {
    const done = this.#options.executor
      .undeploy(id)
      .catch((error: unknown) => {
        this.#failures.push(error);
      })
      .finally(() => this.#retiring.delete(done));
    this.#retiring.add(done);
  }

  #inTurn<T>(name: string, change: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(name) ?? Promise.resolve()).then(change);
    const turn = result
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        if (this.#turns.get(name) === turn) this.#turns.delete(name);
      });
    this.#turns.set(name, turn);
    return result;
  }
}

function componentOf(definition: AnyDefinition): Pick<FunctionRecord, 'component'> {
  if (!('prepared' in definition) || definition.component === undefined) return {};
  const { kind, exports } = definition.component;
  return { component: { kind, exports } };
}

/** What a version in the store is made of. */
function sourceOf(files: StoredFiles, { manifest, wasStopped = false }: StoredVersion): DefinitionSource {
  return { ...files, manifest, wasStopped };
}

/** Whether a version's code could count units and does not, unless its manifest forbids it. */
function mayCount({ definition, record }: Pick<RegisteredFunction, 'definition' | 'record'>): boolean {
  return 'prepared' in definition && !definition.prepared.info.hasBudget && record.manifest.budget !== false;
}
