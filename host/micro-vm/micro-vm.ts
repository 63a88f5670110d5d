/**
 * One function's instance in one thread, with its memory, descriptors and streams: run it, put it back, run it again.
 * "micro-VM" says how it is used. What separates guests is V8's WebAssembly sandbox; they share a process.
 */

import { UNCOUNTED, type AddressSpace } from '../linux/address-space.ts';
import { type BindingLink, grantedBindings } from '../bindings/link.ts';
import type { FunctionDefinition } from '../definition/definition.ts';
import type { Strategy } from '../definition/strategies.ts';
import { NebulaError } from '../errors.ts';
import { toValues, type CoreValue } from '../export-call.ts';
import { closeAll, mountAll } from '../filesystem/mounts.ts';
import type { MountedDirectory } from '../filesystem/mount.ts';
import { releaseMemory } from '../linux/memory.ts';
import type { Guest } from '../wasi/session/guest.ts';
import { callSuspendable, callWithin } from './guest-call.ts';
import type { Ending, Usage } from '../outcome.ts';
import { Preview1 } from '../preview1/preview1.ts';
import { Account, type CountingInstance } from '../wasi/session/account.ts';
import type { GuestCall } from '../wasi/session/guest.ts';
import { initialTerms } from '../wasi/session/terms.ts';
import { monotonicNs } from '../monotonic.ts';
import { explainEnding } from '../refused-growth.ts';
import { auditState, StateDigest } from '../snapshot/audit.ts';
import type { SnapshotImage } from '../snapshot/image.ts';
import { createRestorer } from '../snapshot/restore/restorers.ts';
import type { Restorer } from '../snapshot/restore/restorer.ts';
import { InstanceState } from '../snapshot/state.ts';
import { promising } from '../waiting/jspi.ts';
import type { Suspension } from '../waiting/suspension.ts';

const importedNames = new WeakMap<WebAssembly.Module, ReadonlySet<string>>();

function importedBy(module: WebAssembly.Module): ReadonlySet<string> {
  let names = importedNames.get(module);
  if (names === undefined) {
    names = new Set(WebAssembly.Module.imports(module).map(({ name }) => name));
    importedNames.set(module, names);
  }
  return names;
}

/** How a guest waits where it can be suspended, and where it calls bindings. */
export interface MicroVmWays {
  readonly suspension?: Suspension | undefined;
  readonly link?: BindingLink | undefined;
}

/** The micro-VM of a module. */
export class MicroVm implements Guest {
  /** Globals, tables and memory as they are now, for whoever compares them with a snapshot. */
  readonly state: InstanceState;
  readonly suspension: Suspension | undefined;
  readonly #definition: FunctionDefinition;
  readonly #mounts: readonly MountedDirectory[];
  readonly #preview1: Preview1;
  readonly #restorer: Restorer;
  /** Of a module that counts units. */
  readonly #account: Account | undefined;
  readonly #digest: StateDigest | undefined;
  /** A view that reads empty once the memory has grown: cheaper to ask than the memory. */
  #view: Uint8Array;
  #ending: Ending = { kind: 'ok' };
  #values: readonly CoreValue[] | undefined = undefined;
  #runs = 0;
  #entered: (() => Promise<unknown>) | undefined = undefined;

  /**
   * Instantiates the function's module in its snapshot's state; with a `suspension` to be started, without one to be run.
   * Without a `link` it can call no binding.
   * @throws NebulaError MOUNT_UNAVAILABLE, ADDRESS_SPACE; a RangeError of V8 when there is no memory to be had
   */
  constructor(
    definition: FunctionDefinition,
    image: SnapshotImage,
    strategy: Strategy,
    space: AddressSpace = UNCOUNTED,
    { suspension, link }: MicroVmWays = {},
  ) {
    const { capabilities, limits, name, prepared } = definition;
    this.#definition = definition;
    this.suspension = suspension;
    this.#mounts = mountAll(capabilities.mounts, limits);
    this.#account = prepared.info.hasBudget ? new Account(limits, suspension) : undefined;
    if (suspension !== undefined) suspension.meter = this.#account;
    try {
      this.#preview1 = new Preview1(
        {
          programName: name,
          limits,
          capabilities,
          imported: importedBy(prepared.compiled),
          missing: prepared.info.missingImports,
          account: this.#account,
          suspension,
          bindings: grantedBindings(definition, link),
        },
        this.#mounts,
      );
      this.state = InstanceState.create(prepared, name, this.#preview1.imports, space);
      this.#account?.connect(this.state.counting as CountingInstance);
      const { memory } = this.state;
      this.#preview1.bind(memory, this.state.sized);
      this.state.write(image.snapshot);
      this.#restorer = createRestorer(image, strategy);
      if (memory !== undefined) this.#restorer.attach(memory);
      this.state.captureInPlace();
      this.#view = new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
      this.#digest = definition.audit ? new StateDigest(this.state) : undefined;
    } catch (error) {
      closeAll(this.#mounts);
      throw error;
    }
  }

  get memories(): readonly WebAssembly.Memory[] {
    return this.state.memories;
  }

  get isMisplaced(): boolean {
    return this.#restorer.isMisplaced === true;
  }

  /** Whether it has run since it was made. */
  get used(): boolean {
    return this.#runs > 0;
  }

  /**
   * Runs the function once. `timeoutMs` above 0 is enforced here, in this thread; 0 leaves the deadline to others.
   * @throws NebulaError ENTRY_MISMATCH of a library, SNAPSHOT_DIVERGED under audit; whatever a fault of the host throws
   */
  run(call: GuestCall, timeoutMs: number): Ending {
    const run = this.#entryFor(call);
    this.#begin(call);
    const { limits } = this.#definition;
    const account = this.#account;
    if (account === undefined) {
      this.#ending = explainEnding(callWithin(run, this.#preview1, timeoutMs), this.state, limits);
      return this.#ending;
    }
    account.begin(this.#preview1.session, call.terms ?? initialTerms(timeoutMs, monotonicNs()));
    try {
      this.#ending = explainEnding(callWithin(run, this.#preview1, 0), this.state, limits);
    } finally {
      account.end();
    }
    return this.#ending;
  }

  /** @throws as `run` */
  async start(call: GuestCall): Promise<Ending> {
    const run = this.#suspendableEntryFor(call);
    this.#begin(call);
    const { limits } = this.#definition;
    const account = this.#account;
    account?.begin(this.#preview1.session, call.terms ?? initialTerms(0, monotonicNs()));
    // No function of preview 1 calls the guest back.
    if (account !== undefined) account.isDirect = true;
    try {
      const ending = await callSuspendable(run, this.#preview1);
      this.#ending = explainEnding(ending, this.state, limits);
    } finally {
      account?.end();
    }
    return this.#ending;
  }

  /** What the call enters the module by; the values of an export that was called by its name are kept. */
  #entryFor({ export: asked }: GuestCall): () => unknown {
    if (asked === undefined) return this.#main;
    const { name, values } = asked;
    const run = this.state.function(name);
    return () => void (this.#values = toValues(run(...values)));
  }

  #suspendableEntryFor({ export: asked }: GuestCall): () => Promise<unknown> {
    if (asked === undefined) return (this.#entered ??= promising(this.#main));
    const { name, values } = asked;
    const run = promising(this.state.function(name));
    return async () => void (this.#values = toValues(await run(...values)));
  }

  get #main(): () => unknown {
    const { entry, name } = this.#definition;
    if (entry !== '') return this.state.function(entry);
    throw new NebulaError('ENTRY_MISMATCH', { name, expected: '"_start" or "handle"', exports: 'those of a library' });
  }

  #begin(call: GuestCall): void {
    this.#values = undefined;
    if (this.#digest !== undefined) auditState(this.#definition.name, this.#digest, this.state);
    this.#runs++;
    this.#preview1.begin(call);
  }

  /** What an export answered that was called by its name, in the last run. */
  get values(): readonly CoreValue[] | undefined {
    return this.#values;
  }

  stdout(): Uint8Array {
    return this.#preview1.stdout();
  }

  stderr(): Uint8Array {
    return this.#preview1.stderr();
  }

  usage(): Usage {
    const memoryBytes = this.#memoryBytes();
    const { inputBytesRead: inputBytes, hostCalls } = this.#preview1;
    const account = this.#account;
    return account?.usage(memoryBytes, inputBytes, hostCalls) ?? { memoryBytes, inputBytes, hostCalls };
  }

  #memoryBytes(): number {
    const { memories, sized } = this.state;
    if (sized?.hasShrunk === true) return sized.sizeBytes;
    if (memories.length > 1) return memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    return this.#view.length > 0 ? this.#view.length : this.state.sizeBytes;
  }

  /**
   * Puts everything back to the snapshot. False when that cannot be exact, and after anything but a normal end: then the
   * micro-VM must be closed and another made.
   */
  restore(): boolean {
    if (this.#definition.keepsState === true) return this.#keep();
    this.#preview1.end();
    const { kind } = this.#ending;
    if (kind !== 'ok' && kind !== 'exit') return false;
    if (!this.#definition.prepared.info.restorable) return false;
    const { sizeBytes } = this.#restorer;
    // The view of a memory without pages reads empty before and after it grew.
    const hasGrown = this.#view.length !== sizeBytes || (sizeBytes === 0 && this.#memoryBytes() > 0);
    if (hasGrown && !this.#regrown(sizeBytes)) return false;
    this.#restorer.observe();
    if (!this.state.restoreInPlace() || !this.#restorer.restore()) return false;
    if (this.state.sized?.hasShrunk === true) this.#preview1.memoryShrank();
    return true;
  }

  /** Leaves everything as it is, for a next run. False of a guest that has not returned: it stands in the middle of its calls. */
  #keep(): boolean {
    const isKept = this.#ending.kind === 'ok' && this.#preview1.ending === undefined;
    if (isKept) this.#preview1.keep();
    else this.#preview1.end();
    return isKept;
  }

  /** Looks at the memory anew, which has another buffer. False where it cannot be put back to its size. */
  #regrown(sizeBytes: number): boolean {
    const { sized } = this.state;
    if (sized === undefined) return false;
    this.#view = new Uint8Array(sized.memory.buffer, 0, sizeBytes);
    return this.#restorer.regrown(sized.memory);
  }

  /** Gives back what it holds of the machine, its memory's pages among it. */
  close(): void {
    this.#preview1.end();
    closeAll(this.#mounts);
    for (const memory of this.memories) releaseMemory(memory);
  }
}
