/**
 * One component's instance in one thread, under its own capabilities: run it, and unless the manifest says `reuse`, throw
 * it away. jco links the core modules; what they import is `world/`.
 */

import { runWithin } from '../deadline.ts';
import type { FunctionDefinition } from '../definition.ts';
import { messageOf, NebulaError } from '../errors.ts';
import { closeAll, mountAll } from '../filesystem/mounts.ts';
import type { Guest } from '../guest.ts';
import type { Ending, Usage } from '../outcome.ts';
import type { GuestCall } from '../preview1/preview1.ts';
import { STATE } from '../module/instrument.ts';
import { trapOf } from '../trap.ts';
import { compileGlue, type Exports } from './glue.ts';
import { GuestStop } from './guest-stop.ts';
import { callFunction } from './function-call.ts';
import { handleRequest, type Handler } from './request.ts';
import type { PreparedComponent } from './prepared-component.ts';
import { parseInterface } from './wit.ts';
import { Host, withHost } from './world/host.ts';
import { createWorld } from './world/world.ts';

/** A definition that has a component. */
export type ComponentDefinition = FunctionDefinition & { readonly component: PreparedComponent };

/** Whether a definition is of a component. */
export function hasComponent(definition: FunctionDefinition): definition is ComponentDefinition {
  return definition.component !== undefined;
}

const OK: Ending = { kind: 'ok' };

export class ComponentVm implements Guest {
  readonly memories: readonly WebAssembly.Memory[];
  readonly #definition: ComponentDefinition;
  readonly #host: Host;
  readonly #exports: Exports;
  /** Set to 1 in a core instance whose memory.grow was refused. */
  readonly #refused: readonly WebAssembly.Global<'i32'>[];
  #ending: Ending = OK;
  #runs = 0;

  /**
   * Instantiates the component.
   * @throws NebulaError MOUNT_UNAVAILABLE, INIT_FAILED; a RangeError of V8 when there is no memory to be had
   */
  constructor(definition: ComponentDefinition) {
    const { capabilities, limits, name } = definition;
    this.#definition = definition;
    const mounts = mountAll(capabilities.mounts, limits);
    this.#host = new Host({ programName: name, limits, capabilities }, mounts);
    try {
      const cores: WebAssembly.Instance[] = [];
      this.#exports = withHost(this.#host, () => instantiate(definition, this.#host, cores));
      const exportsOf = <T>(key: string): T[] =>
        cores.flatMap(({ exports }) => (exports[key] === undefined ? [] : [exports[key] as T]));
      this.memories = exportsOf<WebAssembly.Memory>(STATE.memory);
      this.#refused = exportsOf<WebAssembly.Global<'i32'>>(STATE.refused);
    } catch (error) {
      closeAll(mounts);
      throw error;
    }
  }

  get used(): boolean {
    return this.#runs > 0;
  }

  /** @throws NebulaError ENTRY_MISMATCH; whatever a fault of the host throws */
  run(call: GuestCall, timeoutMs: number): Ending {
    const entry = this.#entryFor(call);
    this.#runs++;
    this.#host.begin(call);
    this.#ending = this.#explain(withHost(this.#host, () => callWithin(this.#host, entry, timeoutMs)));
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
    const memoryBytes = this.memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    return { memoryBytes, inputBytes, hostCalls };
  }

  restore(): boolean {
    this.#host.end();
    // A guest that ended itself is in the middle of its own calls.
    return this.#ending.kind === 'ok' && this.#host.ending === undefined && this.#runs < (this.#definition.reuse ?? 1);
  }

  close(): void {
    this.#host.end();
    closeAll(this.#host.mounts);
  }

  #entryFor({ component: asked }: GuestCall): () => void {
    switch (asked?.kind) {
      case undefined:
        return (this.#export('wasi:cli/run') as { readonly run: () => void }).run;
      case 'http': {
        const { handle } = this.#export('wasi:http/incoming-handler') as Handler;
        return () => handleRequest(this.#host, asked, handle);
      }
      case 'call':
        return () => callFunction(this.#host, asked, this.#exports);
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

  /** A guest that was refused memory and then failed ran out of it, however it puts that. */
  #explain(ending: Ending): Ending {
    const isFailure = ending.kind === 'trap' || ending.kind === 'exit';
    if (!isFailure || !this.#refused.some(({ value }) => value === 1)) return ending;
    return { kind: 'limit', limit: 'memoryBytes', allowed: this.#definition.limits.memoryBytes };
  }
}

function instantiate(definition: ComponentDefinition, host: Host, cores: WebAssembly.Instance[]): Exports {
  const { component, name } = definition;
  const modules = new Map(component.cores.map(({ file, compiled }) => [file, compiled]));
  try {
    return compileGlue(component)(
      (file) => modules.get(file) as WebAssembly.Module,
      createWorld(host),
      (module, imports) => {
        const instance = new WebAssembly.Instance(module, imports);
        cores.push(instance);
        // The rewriting took the start function out of the module, so that it can be told apart from the instantiation.
        (instance.exports[STATE.start] as (() => void) | undefined)?.();
        return instance;
      },
    );
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    const unknown = /instance import '(\S+)'/.exec(messageOf(cause))?.[1];
    if (unknown !== undefined) throw new NebulaError('UNKNOWN_IMPORT', { count: 1, imports: unknown }, { cause });
    throw new NebulaError('INIT_FAILED', { name, detail: messageOf(cause) }, { cause });
  }
}

function callWithin(host: Host, entry: () => void, timeoutMs: number): Ending {
  if (timeoutMs === 0) return call(host, entry);
  let ending: Ending | undefined;
  const inTime = runWithin(timeoutMs, () => {
    ending = call(host, entry);
  });
  return inTime && ending !== undefined ? ending : { kind: 'timeout', timeoutMs };
}

function call(host: Host, entry: () => void): Ending {
  try {
    entry();
    return host.ending ?? OK;
  } catch (thrown) {
    if (host.ending !== undefined) return host.ending;
    const ending = trapOf(thrown);
    if (ending !== undefined) return ending;
    // What a result's `err` case becomes: the value itself.
    if (!(thrown instanceof Error) || thrown instanceof GuestStop) return { kind: 'exit', exitCode: 1 };
    throw thrown;
  }
}
