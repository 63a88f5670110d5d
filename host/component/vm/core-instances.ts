/**
 * A component's core instances, kept while the glue around them is put back or made anew: what they import of the glue goes through
 * links that are pointed at the next glue. Memories, globals and tables are put back as a module's are (snapshot/).
 */

import type { AddressSpace } from '../../linux/address-space.ts';
import { NebulaError } from '../../errors.ts';
import { releaseMemory } from '../../linux/memory.ts';
import { GrowthBudget } from '../../module/growth-budget.ts';
import { mostPages, type Needs } from '../../module/growth.ts';
import { refuseOversize } from '../../module/inspect.ts';
import { OWNER_SLOTS } from '../../module/memory-size.ts';
import { STATE } from '../../module/state-names.ts';
import { auditState, StateDigest } from '../../snapshot/audit.ts';
import type { SnapshotImage } from '../../snapshot/image.ts';
import type { Restorer } from '../../snapshot/restore/restorer.ts';
import { nonZeroPages, copyRuns, type Snapshot } from '../../snapshot/snapshot.ts';
import type { SizedMemory } from '../../snapshot/sized-memory.ts';
import { InstanceState } from '../../snapshot/state.ts';
import type { Account } from '../../wasi/session/account.ts';
import type { ComponentDefinition } from './component-definition.ts';
import { bindSuspendable, GlueExports, type CapturedCall, type SuspendableCalls } from './glue-exports.ts';

type Callable = (...values: unknown[]) => unknown;

/** One import of a core instance: a function of the glue's, or what another core instance exports. */
interface Link {
  readonly namespace: string;
  readonly name: string;
  /** Whether another glue brings another function. */
  readonly isOfGlue: boolean;
  /** What the core instance calls. */
  value: unknown;
}

interface Core {
  readonly module: WebAssembly.Module;
  /** As the glue has it. */
  readonly instance: WebAssembly.Instance;
  readonly state: InstanceState;
  readonly links: readonly Link[];
}

const refuse = (feature: string): never => {
  throw new NebulaError('MODULE_UNSUPPORTED', { feature });
};

const NO_IMPORTS: WebAssembly.Imports = {};

/** Core instances of a micro-VM, and memories, of each of which V8 reserves gigabytes of addresses: real ones have a few. */
const MOST_INSTANCES = 1000;
const MOST_MEMORIES = 64;

/** All core instances of one component, with one budget of memory and table elements. */
export class CoreInstances {
  readonly #definition: ComponentDefinition;
  readonly #space: AddressSpace;
  readonly #account: Account | undefined;
  readonly #budget: GrowthBudget;
  readonly #cores: Core[] = [];
  /** What the core instances export, none of which changes with the glue. */
  readonly #exported: Set<unknown> = new Set();
  #memories: readonly WebAssembly.Memory[] = [];
  /** A memory that can be put back though it grew: the only one, where any is put back. */
  #sized: SizedMemory | undefined;
  /** What a module exports that has such a memory. */
  readonly #owners: Map<unknown, WebAssembly.Exports> = new Map();
  /** Bytes of its buffer, as the restorer knows it. */
  #bufferBytes = 0;
  #left: readonly [pages: number, elements: number] = [0, 0];
  readonly #calls: SuspendableCalls | undefined;
  readonly #forGlue: GlueExports;
  #linked = 0;
  #digests: readonly StateDigest[] = [];
  #restorer: Restorer | undefined;
  /** Functions of the glue by the links that note their calls as long as the glue links for the first time. */
  readonly #noting: Map<Link, Callable> = new Map();
  /** Why another glue cannot be put around these instances, or empty. */
  unlinkable = '';

  /**
   * Of a component under its limits, with `space` counting the memories; those that count units do so for `account`, and
   * `calls` is of one that can be suspended.
   */
  constructor(
    definition: ComponentDefinition,
    space: AddressSpace,
    account: Account | undefined,
    calls?: SuspendableCalls,
  ) {
    const { limits } = definition;
    this.#calls = calls;
    this.#forGlue = new GlueExports(calls);
    this.#definition = definition;
    this.#space = space;
    this.#account = account;
    this.#budget = new GrowthBudget(mostPages(limits), limits.tableElements);
  }

  /** Begins to link a glue; `next` is then called for each core module in the order in which the glue has them. */
  begin(): void {
    this.#linked = 0;
  }

  /** Ends that. What start functions called of the first glue may have changed state of it that another has not. */
  linked(): void {
    for (const [link, value] of this.#noting) link.value = value;
    this.#noting.clear();
  }

  /** The next core instance: made at first, later the same again with its imports pointed at the glue's new functions. */
  next(module: WebAssembly.Module, imports: WebAssembly.Imports = NO_IMPORTS): WebAssembly.Instance {
    const core = this.#cores[this.#linked];
    if (core === undefined) return this.#make(module, imports);
    if (core.module !== module) throw new Error('the glue instantiated other core modules than before');
    this.#linked++;
    for (const link of core.links) {
      const value: unknown = imports[link.namespace]?.[link.name];
      if (link.isOfGlue && typeof value === 'function') link.value = value;
      else if (link.value !== value) throw new Error('the glue links core instances otherwise than before');
    }
    return core.instance;
  }

  /**
   * Has the glue call an export, and answers that call, which is not made. The glue has lowered its arguments then, and takes
   * 0 for the result. Undefined when it calls none.
   */
  capture(call: () => void): CapturedCall | undefined {
    return this.#forGlue.capture(call);
  }

  get memories(): readonly WebAssembly.Memory[] {
    return this.#memories;
  }

  /** Why what they are cannot be put back exactly, or empty. */
  get notRestorable(): string {
    return this.memories.length > 1 ? 'it has more than one memory' : this.unlinkable;
  }

  /** Whether a memory.grow was refused since the last restore. */
  get growRefused(): boolean {
    return this.#cores.some(({ state }) => state.growRefused);
  }

  /** Bytes that the guest has of all memories. */
  get memoryBytes(): number {
    if (this.#sized?.hasShrunk === true) return this.#sized.sizeBytes;
    return this.memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  }

  /** The content of the one memory, for an image of it; globals and tables are kept by the instances themselves. */
  read(digest: string): Snapshot {
    const [memory] = this.memories;
    const bytes = new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
    const runs = copyRuns(bytes, nonZeroPages(bytes));
    return { digest, memoryBytes: bytes.length, runs, globals: [], tables: [], dropped: [] };
  }

  /** Takes the state as it is now for what `restore` puts back; the memory is filled from the image, which is its equal. */
  keep(image: SnapshotImage, restorer: Restorer): void {
    const [memory] = this.memories;
    const sizeBytes = memory?.buffer.byteLength ?? 0;
    if (sizeBytes !== image.snapshot.memoryBytes) throw new Error('the image is of another memory');
    this.#restorer = restorer;
    if (memory !== undefined) restorer.attach(memory);
    for (const { state } of this.#cores) state.captureInPlace();
    this.#left = this.#budget.left;
    this.#bufferBytes = sizeBytes;
  }

  /** Puts back what `capture` took. False when that cannot be exact. */
  restore(): boolean {
    const restorer = this.#restorer;
    if (restorer === undefined || this.notRestorable !== '') return false;
    if (this.memoryBytes !== restorer.sizeBytes && !this.#takeBack(restorer)) return false;
    restorer.observe();
    return this.#cores.every(({ state }) => state.restoreInPlace()) && restorer.restore();
  }

  /** Has what the memory grew by be taken of the budget no more. False where it cannot be put back to its size. */
  #takeBack(restorer: Restorer): boolean {
    if (this.#sized === undefined) return false;
    this.#budget.leave(this.#left);
    const { memory } = this.#sized;
    const { byteLength } = memory.buffer;
    if (byteLength === this.#bufferBytes) return true;
    this.#bufferBytes = byteLength;
    return restorer.regrown(memory);
  }

  /** A digest of all state of each core instance. */
  digest(): readonly StateDigest[] {
    return this.#cores.map(({ state }) => new StateDigest(state));
  }

  /** Keeps the state as what `audit` compares with. */
  beginAudit(): void {
    this.#digests = this.digest();
  }

  /** @throws NebulaError SNAPSHOT_DIVERGED */
  audit(name: string): void {
    this.#digests.forEach((digest, at) => auditState(name, digest, (this.#cores[at] as Core).state));
  }

  /** Gives the pages of the memories back. */
  release(): void {
    for (const memory of this.memories) releaseMemory(memory);
  }

  #make(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
    const links: Link[] = [];
    const linked: WebAssembly.Imports = {};
    for (const [namespace, values] of Object.entries(imports)) {
      const bound: WebAssembly.ModuleImports = {};
      for (const [name, value] of Object.entries(values)) {
        const isOfGlue = typeof value === 'function' && !this.#exported.has(value);
        const link = { namespace, name, isOfGlue, value };
        links.push(link);
        bound[name] = this.#bind(link);
        if (isOfGlue) this.#noteCalls(link, value as Callable);
      }
      linked[namespace] = bound;
    }
    const { instance: made, state } = this.#instantiate(module, linked);
    const instance = this.#forGlue.of(made, state.sized);
    this.#cores.push({ module, instance, state, links });
    this.#memories = this.#cores.flatMap((core) => core.state.memories);
    this.#linked++;
    for (const value of Object.values(instance.exports)) this.#exported.add(value);
    // The rewriting took the start function out of the module, so that it can be told apart from the instantiation.
    (made.exports[STATE.start] as (() => void) | undefined)?.();
    return instance;
  }

  #noteCalls(link: Link, value: Callable): void {
    this.#noting.set(link, value);
    link.value = (...values: unknown[]): unknown => {
      this.unlinkable = 'its instantiation calls the glue';
      return value(...values);
    };
  }

  #instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): Pick<Core, 'instance' | 'state'> {
    const { component, name } = this.#definition;
    const needs = component.cores.find(({ compiled }) => compiled === module)?.needs;
    if (needs === undefined) throw new Error('the glue instantiated a core module that is not of the component');
    this.#take(needs);
    const make = (): Pick<Core, 'instance' | 'state'> => {
      const instance = new WebAssembly.Instance(module, imports);
      this.#budget.connect(instance);
      const state = new InstanceState(module, instance);
      const { counting } = state;
      if (counting !== undefined) this.#account?.connect(counting);
      this.#connectMemory(instance.exports, state, imports);
      return { instance, state };
    };
    return this.#space.hold(name, needs.memories, make, ({ state }) => state.memories);
  }

  /** Lets a module that uses the memory of another read its size and grow it. */
  #connectMemory(exports: WebAssembly.Exports, { sized }: InstanceState, imports: WebAssembly.Imports): void {
    if (sized !== undefined) {
      this.#sized = sized;
      this.#owners.set(sized.memory, exports);
    }
    const slots = exports[STATE.owner] as WebAssembly.Table | undefined;
    if (slots === undefined) return;
    const imported = Object.values(imports).flatMap((namespace) => Object.values(namespace));
    const owner = imported.map((value) => this.#owners.get(value)).find((exported) => exported !== undefined);
    if (owner === undefined) throw new Error('a core module uses a memory of which none of the others is the owner');
    slots.set(OWNER_SLOTS.readSize, owner[STATE.readSize]);
    slots.set(OWNER_SLOTS.grow, owner[STATE.grow]);
  }

  /** Takes of the budget what an instance begins with. */
  #take({ memories, memoryPages, tableElements }: Needs): void {
    if (this.#cores.length >= MOST_INSTANCES) refuse(`more than ${MOST_INSTANCES} core instances`);
    if (this.memories.length + memories > MOST_MEMORIES) refuse(`more than ${MOST_MEMORIES} memories`);
    const { pagesLeft, elementsLeft } = this.#budget;
    if (this.#budget.take(memoryPages, tableElements)) return;
    const { limits } = this.#definition;
    const pages = mostPages(limits) - pagesLeft + memoryPages;
    refuseOversize({ memoryPages: pages, tableElements: limits.tableElements - elementsLeft + tableElements }, limits);
  }

  #bind(link: Link): WebAssembly.ImportValue {
    const { isOfGlue, value } = link;
    const calls = this.#calls;
    if (isOfGlue && calls !== undefined) return bindSuspendable(link, calls);
    if (isOfGlue) return (...values: unknown[]): unknown => (link.value as Callable)(...values);
    if (!this.#exported.has(value)) this.unlinkable = 'a core module imports state of the glue';
    return this.#forGlue.behind(value);
  }
}
