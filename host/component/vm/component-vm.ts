/**
 * One component's instance in one thread, under its own capabilities: run it, put it back, run it again. jco's glue links
 * the core modules; what they import is `world/`.
 */

import { UNCOUNTED, type AddressSpace } from '../../linux/address-space.ts';
import type { Strategy } from '../../definition/strategies.ts';
import { ENTRY_INTERFACES } from '../../definition/prepared-component.ts';
import { monotonicNs } from '../../monotonic.ts';
import { NebulaError } from '../../errors.ts';
import { closeAll, mountAll } from '../../filesystem/mounts.ts';
import type { Guest } from '../../wasi/session/guest.ts';
import type { Ending, Usage } from '../../outcome.ts';
import { Account } from '../../wasi/session/account.ts';
import type { GuestCall } from '../../wasi/session/guest.ts';
import { initialTerms } from '../../wasi/session/terms.ts';
import { explainEnding } from '../../refused-growth.ts';
import type { StateDigest } from '../../snapshot/audit.ts';
import type { SnapshotImage } from '../../snapshot/image.ts';
import { createRestorer } from '../../snapshot/restore/restorers.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Suspension } from '../../waiting/suspension.ts';
import type { ComponentDefinition } from './component-definition.ts';
import { CoreInstances } from './core-instances.ts';
import {
  endingOf,
  enter,
  OK,
  runEntry,
  runnable,
  runSuspendable,
  suspendableCalls,
  suspendableEntry,
} from './entering.ts';
import type { Exports, Instantiate } from '../prepare/glue/contract.ts';
import { runFunction, runSuspendableFunction } from './exported-function.ts';
import { handleRequest, handleSuspendable, type Handler } from './incoming-handler.ts';
import { LIFT_LOWER_VALUES } from './lift-lower.ts';
import { linkFailure, makeGlue, within } from './linking.ts';
import { parseInterface } from '../prepare/wit.ts';
import { Host, withHost } from '../world/host.ts';
import { createImports } from './imports.ts';

/** The instance of one component: `ready`, `running`, then put back or made anew, or discarded. */
export class ComponentVm implements Guest {
  readonly suspension: Suspension | undefined;
  readonly #definition: ComponentDefinition;
  readonly #cores: CoreInstances;
  /** Where its core modules count units. */
  readonly #account: Account | undefined;
  readonly #instantiate: Instantiate;
  /** Packages of WASI that it imports of. */
  readonly #packages: readonly string[];
  #host: Host;
  #exports: Exports;
  #ending: Ending = OK;
  #runs = 0;
  /** Runs since the state was fresh. */
  #runsOfState = 0;
  #isClosed = false;

  /**
   * Instantiates the component. With an image its core instances are put back after a call, and the glue around them is
   * made anew; without one, or by `fresh`, the whole component is.
   * It takes no longer than a call may. With a `suspension` it is to be started, without one to be run.
   * @throws NebulaError MOUNT_UNAVAILABLE, INIT_FAILED, ADDRESS_SPACE, *_MINIMUM, MODULE_UNSUPPORTED; a RangeError of V8 when there is no memory to be had
   */
  constructor(
    definition: ComponentDefinition,
    image?: SnapshotImage,
    strategy: Strategy = 'fresh',
    space: AddressSpace = UNCOUNTED,
    suspension?: Suspension,
  ) {
    this.#definition = definition;
    this.suspension = suspension;
    this.#account = definition.prepared.info.hasBudget ? new Account(definition.limits, suspension) : undefined;
    if (suspension !== undefined) suspension.meter = this.#account;
    const calls = suspension === undefined ? undefined : suspendableCalls(() => this.#host);
    this.#cores = new CoreInstances(definition, space, this.#account, calls);
    // What an image is of was made in time before, by the same code, which calls nobody while it is made: a watchdog costs a thread.
    const bound = image !== undefined && strategy !== 'fresh' ? <T>(link: () => T): T => link() : within(definition);
    this.#instantiate = bound(() => makeGlue(definition));
    this.#packages = [...new Set(definition.component.imports.map((name) => parseInterface(name)?.package ?? ''))];
    [this.#host, this.#exports] = this.#link(bound);
    try {
      if (image !== undefined && strategy !== 'fresh') this.#cores.keep(image, createRestorer(image, strategy));
      if (definition.audit) this.#cores.beginAudit();
    } catch (error) {
      closeAll(this.#host.mounts);
      throw error;
    }
  }

  get memories(): readonly WebAssembly.Memory[] {
    return this.#cores.memories;
  }

  get isMisplaced(): boolean {
    return false;
  }

  get used(): boolean {
    return this.#runs > 0;
  }

  /** Why its core instances cannot be put back exactly, or empty. To be asked before the first run. */
  get notRestorable(): string {
    if (!this.#definition.prepared.info.restorable) return this.#definition.prepared.info.restorableReason;
    if (this.#host.hostCalls > 0) return 'its instantiation calls the host';
    return this.#cores.notRestorable;
  }

  /** What an image of it is made of. */
  read(): Snapshot {
    return this.#cores.read(this.#definition.prepared.digest);
  }

  /** A digest of all state of its core instances. */
  digest(): readonly StateDigest[] {
    return this.#cores.digest();
  }

  /** @throws NebulaError ENTRY_MISMATCH, SNAPSHOT_DIVERGED under audit; whatever a fault of the host throws */
  run(call: GuestCall, timeoutMs: number): Ending {
    const entry = this.#entryFor(call);
    this.#begin(call);
    const ending = withHost(this.#host, () => this.#enter(call, entry, timeoutMs));
    this.#ending = explainEnding(ending, this.#cores, this.#definition.limits);
    return this.#ending;
  }

  /** @throws as `run` */
  async start(call: GuestCall): Promise<Ending> {
    const entry = this.#suspendableEntryFor(call);
    this.#begin(call);
    const host = this.#host;
    this.#account?.begin(host, call.terms ?? initialTerms(0, monotonicNs()));
    try {
      const ending = await endingOf(host, entry);
      this.#ending = explainEnding(ending, this.#cores, this.#definition.limits);
    } finally {
      this.#account?.end();
    }
    return this.#ending;
  }

  #begin(call: GuestCall): void {
    if (this.#runsOfState === 0) this.#cores.audit(this.#definition.name);
    this.#runs++;
    this.#runsOfState++;
    this.#host.begin(call, call.record === undefined ? 0 : this.#cores.memoryBytes);
  }

  #enter({ terms }: GuestCall, entry: () => void, timeoutMs: number): Ending {
    const account = this.#account;
    if (account === undefined) return runEntry(this.#host, entry, timeoutMs);
    account.begin(this.#host, terms ?? initialTerms(timeoutMs, monotonicNs()));
    try {
      return enter(this.#host, entry);
    } finally {
      account.end();
    }
  }

  stdout(): Uint8Array {
    return this.#host.stdout.take();
  }

  stderr(): Uint8Array {
    return this.#host.stderr.take();
  }

  usage(): Usage {
    const { hostCalls, inputBytes } = this.#host;
    const { memoryBytes } = this.#cores;
    return this.#account?.usage(memoryBytes, inputBytes, hostCalls) ?? { memoryBytes, inputBytes, hostCalls };
  }

  restore(): boolean {
    this.#host.end();
    const { kind } = this.#ending;
    if (kind !== 'ok' && kind !== 'exit') return false;
    // A guest that ended itself is in the middle of its own calls.
    const isMidCall = kind !== 'ok' || this.#host.ending !== undefined;
    if (this.#definition.keepsState === true) return !isMidCall;
    if (!isMidCall && this.#runsOfState < (this.#definition.reuse ?? 1)) return true;
    return this.renew();
  }

  /** Puts the core instances and the state of the glue around them back. False when that cannot be exact. */
  renew(): boolean {
    if (!this.#cores.restore()) return false;
    const { renew } = this.#instantiate;
    this.#runsOfState = 0;
    // Mounts are opened anew, and with them the world.
    if (renew !== undefined && this.#host.mounts.length === 0) {
      this.#host.renew();
      renew();
      return true;
    }
    closeAll(this.#host.mounts);
    this.#isClosed = true;
    // Start functions ran when the core instances were made: nothing of the guest's runs here, and a watchdog costs a thread.
    [this.#host, this.#exports] = this.#link((link) => link());
    this.#isClosed = false;
    return this.#host.hostCalls === 0;
  }

  close(): void {
    this.#host.end();
    if (!this.#isClosed) closeAll(this.#host.mounts);
    this.#isClosed = true;
    this.#cores.release();
  }

  /** New glue and a new world around the core instances, which are made the first time. */
  #link(bounded: (link: () => Exports) => Exports): [Host, Exports] {
    const { capabilities, limits, name } = this.#definition;
    const mounts = mountAll(capabilities.mounts, limits);
    const host = new Host({ programName: name, limits, capabilities, account: this.#account }, mounts, this.suspension);
    // Functions of the host that are called while it is linked are this one's.
    this.#host = host;
    // Start functions run the first time, for as long as a call may take.
    this.#account?.begin(host, initialTerms(limits.timeoutMs, monotonicNs()));
    try {
      return [host, withHost(host, () => bounded(() => this.#instantiateWith(host)))];
    } catch (error) {
      closeAll(mounts);
      this.#cores.release();
      throw error;
    } finally {
      this.#account?.end();
    }
  }

  #instantiateWith(host: Host): Exports {
    const { component } = this.#definition;
    this.#cores.begin();
    try {
      const exports = this.#instantiate(
        (file) => component.cores.find((core) => core.file === file)?.compiled as WebAssembly.Module,
        createImports(host, this.#packages),
        (module, imports) => this.#cores.next(module, imports),
        LIFT_LOWER_VALUES,
      );
      this.#cores.linked();
      return exports;
    } catch (cause) {
      throw linkFailure(this.#definition, host.ending, cause);
    }
  }

  #entryFor({ component: asked }: GuestCall): () => void {
    switch (asked?.kind) {
      case undefined:
        return runnable(this.#command);
      case 'handler': {
        const handle = this.#handler;
        return () => handleRequest(this.#host, asked, handle);
      }
      case 'function':
        return () => runFunction(this.#host, asked, this.#exports);
      default:
        return asked satisfies never;
    }
  }

  #suspendableEntryFor({ component: asked }: GuestCall): () => Promise<void> {
    const host = this.#host;
    const entry = suspendableEntry(host, this.#cores);
    switch (asked?.kind) {
      case undefined: {
        const command = this.#command;
        return () => runSuspendable(host, command, entry);
      }
      case 'handler': {
        const handle = this.#handler;
        return () => handleSuspendable(host, asked, handle, entry);
      }
      case 'function':
        return () => runSuspendableFunction(host, asked, this.#exports, entry);
      default:
        return asked satisfies never;
    }
  }

  get #command(): () => unknown {
    return (this.#export(ENTRY_INTERFACES.command) as { readonly run: () => unknown }).run;
  }

  get #handler(): Handler['handle'] {
    return (this.#export(ENTRY_INTERFACES.http) as Handler).handle;
  }

  /** An exported interface, whatever its version. */
  #export(id: string): unknown {
    const { component, name } = this.#definition;
    const found = component.exports.find((exported) => parseInterface(exported)?.id === id);
    if (found !== undefined) return this.#exports[found];
    throw new NebulaError('ENTRY_MISMATCH', { name, expected: id, exports: component.exports.join(', ') });
  }
}
