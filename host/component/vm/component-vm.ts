/**
 * One component's instance in one thread, under its own capabilities: run it, put it back, run it again. jco's glue links
 * the core modules; what they import is `world/`.
 */

import { UNCOUNTED, type AddressSpace } from '../../linux/address-space.ts';
import { runWithin } from '../../deadline.ts';
import type { Strategy } from '../../definition/definition.ts';
import { ENTRY_INTERFACES } from '../../definition/prepared-component.ts';
import { isNebulaError, messageOf, NebulaError } from '../../errors.ts';
import { closeAll, mountAll } from '../../filesystem/mounts.ts';
import type { Guest } from '../../wasi/session/guest.ts';
import { describeEnding, type Ending, type Usage } from '../../outcome.ts';
import type { GuestCall } from '../../wasi/session/guest.ts';
import { explainEnding } from '../../refused-growth.ts';
import type { StateDigest } from '../../snapshot/audit.ts';
import type { SnapshotImage } from '../../snapshot/image.ts';
import { createRestorer } from '../../snapshot/restore/restorers.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { trapOf } from '../../trap.ts';
import type { ComponentDefinition } from './component-definition.ts';
import { CoreInstances } from './core-instances.ts';
import { compileGlue } from './glue.ts';
import type { Exports, Instantiate } from '../prepare/glue/contract.ts';
import { GuestStop } from '../world/guest-stop.ts';
import { runFunction } from './exported-function.ts';
import { handleRequest, type Handler } from './incoming-handler.ts';
import { LIFT_LOWER_VALUES, trapOfAccess } from './lift-lower.ts';
import { requireSettled } from './settled.ts';
import { parseInterface } from '../prepare/wit.ts';
import { Host, withHost } from '../world/host.ts';
import { createImports } from './imports.ts';

const OK: Ending = { kind: 'ok' };

/** The instance of one component: `ready`, `running`, then put back or made anew, or discarded. */
export class ComponentVm implements Guest {
  readonly #definition: ComponentDefinition;
  readonly #cores: CoreInstances;
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
   * It takes no longer than a call may.
   * @throws NebulaError MOUNT_UNAVAILABLE, INIT_FAILED, ADDRESS_SPACE, *_MINIMUM, MODULE_UNSUPPORTED; a RangeError of V8 when there is no memory to be had
   */
  constructor(
    definition: ComponentDefinition,
    image?: SnapshotImage,
    strategy: Strategy = 'fresh',
    space: AddressSpace = UNCOUNTED,
  ) {
    this.#definition = definition;
    this.#cores = new CoreInstances(definition, space);
    this.#instantiate = linkWithin(definition, () => makeGlue(definition));
    this.#packages = [...new Set(definition.component.imports.map((name) => parseInterface(name)?.package ?? ''))];
    [this.#host, this.#exports] = this.#link((link) => linkWithin(definition, link));
    try {
      if (image !== undefined && strategy !== 'fresh') this.#cores.capture(image, createRestorer(image, strategy));
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
    if (this.#runsOfState === 0) this.#cores.audit(this.#definition.name);
    this.#runs++;
    this.#runsOfState++;
    this.#host.begin(call, call.record === undefined ? 0 : this.#memoryBytes);
    const ending = withHost(this.#host, () => runEntry(this.#host, entry, timeoutMs));
    this.#ending = explainEnding(ending, this.#cores, this.#definition.limits);
    return this.#ending;
  }

  stdout(): Uint8Array {
    return this.#host.stdout.take();
  }

  stderr(): Uint8Array {
    return this.#host.stderr.take();
  }

  usage(): Usage {
    const { hostCalls, inputBytes } = this.#host;
    return { memoryBytes: this.#memoryBytes, inputBytes, hostCalls };
  }

  get #memoryBytes(): number {
    return this.memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  }

  restore(): boolean {
    this.#host.end();
    const { kind } = this.#ending;
    if (kind !== 'ok' && kind !== 'exit') return false;
    // A guest that ended itself is in the middle of its own calls.
    const isMidCall = kind !== 'ok' || this.#host.ending !== undefined;
    if (!isMidCall && this.#runsOfState < (this.#definition.reuse ?? 1)) return true;
    return this.renew();
  }

  /** Puts the core instances back and makes everything around them anew. False when that cannot be exact. */
  renew(): boolean {
    if (!this.#cores.restore()) return false;
    closeAll(this.#host.mounts);
    this.#isClosed = true;
    // Start functions ran when the core instances were made: nothing of the guest's runs here, and a watchdog costs a thread.
    [this.#host, this.#exports] = this.#link((link) => link());
    this.#isClosed = false;
    this.#runsOfState = 0;
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
    const host = new Host({ programName: name, limits, capabilities }, mounts);
    try {
      return [host, withHost(host, () => bounded(() => this.#instantiateWith(host)))];
    } catch (error) {
      closeAll(mounts);
      this.#cores.release();
      throw error;
    }
  }

  #instantiateWith(host: Host): Exports {
    const { component, name } = this.#definition;
    this.#cores.begin();
    try {
      return this.#instantiate(
        (file) => component.cores.find((core) => core.file === file)?.compiled as WebAssembly.Module,
        createImports(host, this.#packages),
        (module, imports) => this.#cores.next(module, imports),
        LIFT_LOWER_VALUES,
      );
    } catch (cause) {
      const ending = host.ending ?? trapOf(cause);
      if (ending !== undefined) throw unlinked(this.#definition, ending, cause);
      if (cause instanceof RangeError || isNebulaError(cause)) throw cause;
      const unknown = /instance import '(\S+)'/.exec(messageOf(cause))?.[1];
      if (unknown !== undefined) throw new NebulaError('UNKNOWN_IMPORT', { count: 1, imports: unknown }, { cause });
      throw new NebulaError('INIT_FAILED', { name, detail: messageOf(cause) }, { cause });
    }
  }

  #entryFor({ component: asked }: GuestCall): () => void {
    switch (asked?.kind) {
      case undefined:
        return runnable((this.#export(ENTRY_INTERFACES.command) as { readonly run: () => unknown }).run);
      case 'handler': {
        const { handle } = this.#export(ENTRY_INTERFACES.http) as Handler;
        return () => handleRequest(this.#host, asked, handle);
      }
      case 'function':
        return () => runFunction(this.#host, asked, this.#exports);
      default:
        return asked satisfies never;
    }
  }

  /** An exported interface, whatever its version. */
  #export(id: string): unknown {
    const { component, name } = this.#definition;
    const found = component.exports.find((exported) => parseInterface(exported)?.id === id);
    if (found !== undefined) return this.#exports[found];
    throw new NebulaError('ENTRY_MISMATCH', { name, expected: id, exports: component.exports.join(', ') });
  }
}

function runnable(run: () => unknown): () => void {
  return () => {
    requireSettled(run());
  };
}

function makeGlue({ component, name }: ComponentDefinition): Instantiate {
  try {
    return compileGlue(component)();
  } catch (cause) {
    throw new NebulaError('INIT_FAILED', { name, detail: messageOf(cause) }, { cause });
  }
}

/**
 * Code of a guest runs while a component is linked: start functions of its core modules, and the glue itself.
 * @throws NebulaError INIT_FAILED when it takes longer than a call may; what `link` throws
 */
function linkWithin<T>(definition: ComponentDefinition, link: () => T): T {
  const { timeoutMs } = definition.limits;
  if (timeoutMs === 0) return link();
  let linked: { readonly value: T } | undefined;
  runWithin(timeoutMs, () => {
    linked = { value: link() };
  });
  if (linked === undefined) throw unlinked(definition, { kind: 'timeout', timeoutMs });
  return linked.value;
}

function unlinked({ name }: ComponentDefinition, ending: Ending, cause?: unknown): NebulaError {
  const detail = `its instantiation ended with ${describeEnding(ending)}`;
  return new NebulaError('INIT_FAILED', { name, detail }, { cause });
}

function runEntry(host: Host, entry: () => void, timeoutMs: number): Ending {
  if (timeoutMs === 0) return enter(host, entry);
  let ending: Ending | undefined;
  const inTime = runWithin(timeoutMs, () => {
    ending = enter(host, entry);
  });
  return inTime && ending !== undefined ? ending : { kind: 'timeout', timeoutMs };
}

function enter(host: Host, entry: () => void): Ending {
  try {
    entry();
    return host.ending ?? OK;
  } catch (thrown) {
    if (host.ending !== undefined) return host.ending;
    const ending = trapOf(thrown) ?? trapOfAccess(thrown);
    if (ending !== undefined) return ending;
    // What a result's `err` case becomes: the value itself.
    if (!(thrown instanceof Error) || thrown instanceof GuestStop) return { kind: 'exit', exitCode: 1 };
    throw inert(thrown);
  }
}

/** An error that can be read later, when no deadline holds: reading one of the glue's could run more of it. */
function inert(error: Error): Error {
  const message: unknown = Object.getOwnPropertyDescriptor(error, 'message')?.value;
  return typeof message === 'string' ? error : new Error('the glue threw an error without words');
}
