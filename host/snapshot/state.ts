/** Reads and sets the state of a live instance through the exports that the rewriting added (module/instrument.ts). */

import { NO_BYTES } from '../bytes.ts';
import type { CountingInstance } from '../wasi/session/account.ts';
import type { AddressSpace } from '../linux/address-space.ts';
import { NebulaError } from '../errors.ts';
import { asWasmFunction, unitSlotsOf } from '../module/refill.ts';
import { STATE, stateOf } from '../module/state-names.ts';
import type { PreparedModule } from '../module/prepared-module.ts';
import {
  copyRuns,
  nonZeroPages,
  type DroppedSegment,
  type GlobalState,
  type InstanceSnapshot,
  type Snapshot,
  type TableState,
} from './snapshot.ts';
import { SizedMemory } from './sized-memory.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

type Callable = (...values: (number | bigint)[]) => number | bigint | undefined;

/** Which state exports a compiled module has; worked out once per module and thread. */
interface Plan {
  /** Of a module with several. */
  readonly memories: readonly number[];
  readonly valueGlobals: readonly number[];
  readonly bitGlobals: readonly { readonly index: number; readonly lanes: number }[];
  readonly tables: readonly number[];
  readonly functions: readonly number[];
  readonly segments: readonly DroppedSegment[];
}

const plans = new WeakMap<WebAssembly.Module, Plan>();

function planOf(module: WebAssembly.Module): Plan {
  let plan = plans.get(module);
  if (plan === undefined) {
    plan = readPlan(WebAssembly.Module.exports(module).map(({ name }) => name));
    plans.set(module, plan);
  }
  return plan;
}

function readPlan(names: readonly string[]): Plan {
  const indices = (pattern: RegExp): number[] =>
    names.flatMap((name) => {
      const match = pattern.exec(name);
      return match === null ? [] : [Number(match[1])];
    });
  const twoLanes = new Set(indices(/^nebula:global(\d+):get1$/));
  return {
    memories: indices(/^nebula:memory(\d+)$/),
    valueGlobals: indices(/^nebula:global(\d+)$/),
    bitGlobals: indices(/^nebula:global(\d+):get0$/).map((index) => ({ index, lanes: twoLanes.has(index) ? 2 : 1 })),
    tables: indices(/^nebula:table(\d+)$/),
    functions: indices(/^nebula:function(\d+)$/),
    segments: [
      ...indices(/^nebula:dropped-data(\d+)$/).map((index) => ({ kind: 'data', index }) as const),
      ...indices(/^nebula:dropped-element(\d+)$/).map((index) => ({ kind: 'element', index }) as const),
    ],
  };
}

/** Bits of what the `restore` export answers. */
const DROPPED = 1;
const TABLES_CHANGED = 2;
const RESIZED = 4;

/** The state of one instance. */
export class InstanceState {
  /** The memory that WASI's functions work on. Of its buffer no more than `bytes` may be touched: pages behind may be closed. */
  readonly memory: WebAssembly.Memory | undefined;
  /** All memories that the module has, that it imports left out. */
  readonly memories: readonly WebAssembly.Memory[];
  /** The same as `memory`, where it can be put back though it grew. */
  readonly sized: SizedMemory | undefined;
  readonly #instance: WebAssembly.Instance;
  readonly #exports: WebAssembly.Exports;
  readonly #plan: Plan;
  readonly #capture: () => void;
  readonly #restore: () => number;
  readonly #refused: WebAssembly.Global<'i32'>;
  readonly #tablesChanged: WebAssembly.Global<'i32'>;
  readonly #tableSizes: number[] = [];
  #keptBytes = 0;
  #indices: Map<unknown, number> | undefined;

  constructor(module: WebAssembly.Module, instance: WebAssembly.Instance) {
    this.#instance = instance;
    this.#exports = instance.exports;
    this.#plan = planOf(module);
    this.memory = this.#exports[STATE.memory] as WebAssembly.Memory | undefined;
    this.sized = SizedMemory.of(this.#exports);
    const { memories } = this.#plan;
    const only = this.memory === undefined ? [] : [this.memory];
    this.memories =
      memories.length === 0
        ? only
        : memories.map((index) => this.#exports[stateOf.memory(index)] as WebAssembly.Memory);
    this.#capture = this.#exports[STATE.capture] as () => void;
    this.#restore = this.#exports[STATE.restore] as () => number;
    this.#refused = this.#exports[STATE.refused] as WebAssembly.Global<'i32'>;
    this.#tablesChanged = this.#exports[STATE.tablesChanged] as WebAssembly.Global<'i32'>;
  }

  /**
   * Instantiates a prepared module, whose memories `space` counts.
   * @throws NebulaError ADDRESS_SPACE; whatever V8 throws
   */
  static create(
    { compiled, info }: PreparedModule,
    name: string,
    imports: WebAssembly.Imports,
    space: AddressSpace,
  ): InstanceState {
    const make = (): InstanceState => new InstanceState(compiled, new WebAssembly.Instance(compiled, imports));
    return space.hold(name, info.memories, make, ({ memories }) => memories);
  }

  /** What the code counts its units with; undefined where it counts none. */
  get counting(): CountingInstance | undefined {
    const slots = unitSlotsOf(this.#instance);
    if (slots === undefined) return undefined;
    const { units, refill: table } = slots;
    return { units, askFor: (refill, turn) => table.set(0, asWasmFunction(refill, turn)) };
  }

  /** Whether the module exports a function of this name. */
  hasFunction(exportName: string): boolean {
    return typeof this.#exports[exportName] === 'function';
  }

  function(exportName: string): (...values: (number | bigint)[]) => number | bigint | undefined {
    return this.#exports[exportName] as Callable;
  }

  /** Whether the guest asked for more memory than it may have since the last capture or restore. */
  get growRefused(): boolean {
    return this.#refused.value === 1;
  }

  /** Keeps globals and tables aside inside the instance, as what `restoreInPlace` puts back. */
  captureInPlace(): void {
    this.#capture();
    this.#keptBytes = this.sizeBytes;
    const { tables } = this.#plan;
    if (tables.length > 0) {
      (this.#exports[STATE.captureTables] as () => void)();
      tables.forEach((index, at) => (this.#tableSizes[at] = this.#table(index).length));
    }
  }

  /** Bytes of the memory that the guest has. */
  get sizeBytes(): number {
    return this.sized === undefined ? (this.memory?.buffer.byteLength ?? 0) : this.sized.sizeBytes;
  }

  /** What the guest has of the memory. */
  get bytes(): Uint8Array {
    return this.memory === undefined ? NO_BYTES : new Uint8Array(this.memory.buffer, 0, this.sizeBytes);
  }

  /**
   * Puts globals and tables back, and the memory's size where it has one of its own. False when that cannot be exact: a
   * segment was dropped, a table grew, or what the memory grew by cannot be taken back.
   */
  restoreInPlace(): boolean {
    if (this.sized?.isBroken === true) return false;
    const flags = this.#restore();
    if (flags === 0) return true;
    if ((flags & DROPPED) !== 0) return false;
    if ((flags & RESIZED) !== 0 && this.sized?.shrink(this.#keptBytes) !== true) return false;
    return (flags & TABLES_CHANGED) === 0 || this.#restoreTables();
  }

  #restoreTables(): boolean {
    const { tables } = this.#plan;
    if (tables.length === 0) return false;
    for (let at = 0; at < tables.length; at++) {
      if (this.#table(tables[at] as number).length !== this.#tableSizes[at]) return false;
    }
    (this.#exports[STATE.restoreTables] as () => void)();
    return true;
  }

  /**
   * Reads everything for another instance of the same module. `keepPages` are pages to hold even when they are zero.
   * @throws NebulaError SNAPSHOT_UNSUPPORTED for a reference that has no index
   */
  read(digest: string, keepPages: readonly number[]): Snapshot {
    const { bytes } = this;
    const pages = [...new Set([...nonZeroPages(bytes), ...keepPages])].sort((left, right) => left - right);
    return {
      digest,
      memoryBytes: bytes.length,
      runs: copyRuns(bytes, pages),
      globals: this.readGlobals(),
      tables: this.#tablesChanged.value === 0 ? [] : this.readTables(),
      dropped: this.#plan.segments.filter(({ kind, index }) => this.#flag(stateOf.droppedFlag(kind, index)) === 1),
    };
  }

  readGlobals(): GlobalState[] {
    const values = this.#plan.valueGlobals.map((index): GlobalState => {
      const value = this.#global(index).value as unknown;
      if (typeof value === 'number') return { index, kind: 'i32', value };
      if (typeof value === 'bigint') return { index, kind: 'i64', value };
      return { index, kind: 'reference', functionIndex: this.#functionIndex(value, `global ${index}`) };
    });
    const bits = this.#plan.bitGlobals.map(({ index, lanes }): GlobalState => {
      const read = (lane: number): bigint => BigInt(this.function(`${stateOf.global(index)}:get${lane}`)() ?? 0);
      return { index, kind: 'bits', lanes: lanes === 1 ? [read(0)] : [read(0), read(1)] };
    });
    return [...values, ...bits];
  }

  readTables(): TableState[] {
    return this.#plan.tables.map((index) => {
      const table = this.#table(index);
      const elements: (number | null)[] = [];
      for (let at = 0; at < table.length; at++) elements.push(this.#functionIndex(table.get(at), `table ${index}`));
      return { index, elements };
    });
  }

  /** Sets everything but the memory's bytes to what a snapshot holds. The memory reaches the snapshot's size. */
  write(snapshot: InstanceSnapshot): void {
    if (this.memory !== undefined) {
      const missing = snapshot.memoryBytes - this.memory.buffer.byteLength;
      if (this.sized !== undefined) this.sized.grow(snapshot.memoryBytes);
      else if (missing > 0) this.memory.grow(missing / WASM_PAGE_BYTES);
    }
    for (const global of snapshot.globals) this.#writeGlobal(global);
    for (const { index, elements } of snapshot.tables) {
      const table = this.#table(index);
      if (table.length < elements.length) table.grow(elements.length - table.length);
      elements.forEach((element, at) => table.set(at, this.#reference(element)));
    }
    for (const { kind, index } of snapshot.dropped) {
      this.function(stateOf.drop(kind, index))();
      (this.#exports[stateOf.droppedFlag(kind, index)] as WebAssembly.Global<'i32'>).value = 1;
    }
  }

  #writeGlobal(state: GlobalState): void {
    if (state.kind === 'bits') {
      const narrow = typeof this.function(`${stateOf.global(state.index)}:get0`)() === 'number';
      this.function(`${stateOf.global(state.index)}:set`)(...state.lanes.map((lane) => (narrow ? Number(lane) : lane)));
    } else {
      const value = state.kind === 'reference' ? this.#reference(state.functionIndex) : state.value;
      (this.#global(state.index) as { value: unknown }).value = value;
    }
  }

  #functionIndex(value: unknown, where: string): number | null {
    if (value === null) return null;
    this.#indices ??= new Map(this.#plan.functions.map((at) => [this.#exports[stateOf.function(at)], at]));
    const index = this.#indices.get(value);
    if (index === undefined) {
      throw new NebulaError('SNAPSHOT_UNSUPPORTED', { detail: `${where} holds a reference that no index names` });
    }
    return index;
  }

  #reference(index: number | null): unknown {
    return index === null ? null : this.#exports[stateOf.function(index)];
  }

  #flag(exportName: string): number {
    return (this.#exports[exportName] as WebAssembly.Global<'i32'>).value;
  }

  #global(index: number): WebAssembly.Global {
    return this.#exports[stateOf.global(index)] as WebAssembly.Global;
  }

  #table(index: number): WebAssembly.Table {
    return this.#exports[stateOf.table(index)] as WebAssembly.Table;
  }
}
