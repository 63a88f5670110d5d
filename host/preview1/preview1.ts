/**
 * The WASI preview1 host of one micro-VM: everything its guest can reach. Made once, put back for each invocation by
 * `begin`. A guest's mistake is an errno, its end is STOP; no host function throws anything else.
 *
 * Source: https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md
 */

import { BINDING_NAMESPACE, isBindingImport } from '../bindings/abi.ts';
import type { GrantedBindings } from '../bindings/link.ts';
import type { MountedDirectory } from '../filesystem/mount.ts';
import type { Ending } from '../outcome.ts';
import type { Accountable } from '../wasi/session/account.ts';
import type { SessionCall, SessionOptions } from '../wasi/session/session.ts';
import { PREVIEW1 } from '../wasi/versions.ts';
import { suspending } from '../waiting/jspi.ts';
import type { Suspension } from '../waiting/suspension.ts';
import { type AbiVariant, type HostFunctions, SNAPSHOT_1, UNSTABLE } from './abi.ts';
import { createArgsFunctions } from './args.ts';
import { BindingFunctions } from './binding-functions.ts';
import { createClockFunctions } from './clock.ts';
import { Context } from './context.ts';
import type { Sized } from './guest-memory.ts';
import { createEnvironFunctions } from './environ.ts';
import { createFdIoFunctions } from './fd-io.ts';
import { createFdFunctions } from './fd.ts';
import { type MissingImport, withMissingImports } from './missing-imports.ts';
import { createPathFunctions } from './path.ts';
import { createPollFunctions } from './poll.ts';
import { createProcFunctions } from './proc.ts';
import { createRandomFunctions } from './random.ts';
import { withRawFunctions } from './raw-functions.ts';
import { createSchedFunctions } from './sched.ts';
import { createSockFunctions } from './sock.ts';

export { STOP } from './stop.ts';

/** What a guest is given once, and what it imports. */
export interface Preview1Options extends SessionOptions {
  /** Names of the functions the guest imports; all of them when it is not known. */
  readonly imported?: ReadonlySet<string>;
  /** Functions the guest imports that nobody has: each is a trap. */
  readonly missing?: readonly MissingImport[];
  /** Bindings that it may call; absent where none is granted. */
  readonly bindings?: GrantedBindings | undefined;
  /** How the guest waits, where it can be suspended. */
  readonly suspension?: Suspension | undefined;
}

/** Host functions that may wait. */
const WAITING: ReadonlySet<string> = new Set(['poll_oneoff', 'call']);

/** Whether one who imports these functions, of preview1 or for bindings, may wait. */
export function mayWait(imports: Iterable<{ readonly module: string; readonly name: string }>): boolean {
  const namespaces: readonly string[] = Object.values(PREVIEW1);
  for (const each of imports) {
    if (isBindingImport(each) || (WAITING.has(each.name) && namespaces.includes(each.module))) return true;
  }
  return false;
}

/** The host functions of preview1 and the session behind them. */
export class Preview1 {
  /** The functions under `wasi_snapshot_preview1` and, in its layout, under `wasi_unstable`; and those that are missing. */
  readonly imports: WebAssembly.Imports;
  readonly #context: Context;
  readonly #calls: BindingFunctions | undefined;

  constructor(options: Preview1Options, mounts: readonly MountedDirectory[]) {
    this.#context = new Context(options, mounts);
    const { imported, missing = [], suspension, bindings } = options;
    this.#calls = bindings === undefined ? undefined : new BindingFunctions(this.#context, bindings, suspension);
    const imports = {
      [PREVIEW1.snapshot]: only(imported, createFunctions(this.#context, SNAPSHOT_1, suspension), suspension),
      [PREVIEW1.unstable]: only(imported, createFunctions(this.#context, UNSTABLE, suspension), suspension),
      ...(this.#calls === undefined ? {} : { [BINDING_NAMESPACE]: only(imported, this.#calls.imports, suspension) }),
    };
    const calls = this.#calls;
    const raw =
      bindings === undefined
        ? imports
        : withRawFunctions(imports, bindings.raw, {
            context: this.#context,
            link: bindings.link,
            run: () => calls?.run ?? 0,
          });
    this.imports = withMissingImports(raw, missing, this.#context);
  }

  /** Whom an account ends. */
  get session(): Accountable {
    return this.#context;
  }

  /** Takes the instance's memory, once it is there; a module without one gets FAULT for each pointer. */
  bind(memory: WebAssembly.Memory | undefined, sized?: Sized): void {
    this.#context.memory.bind(memory, sized);
  }

  /** To be called once the memory has shrunk. */
  memoryShrank(): void {
    this.#context.memory.refresh();
  }

  /** Puts everything back for another invocation. */
  begin(call: SessionCall): void {
    this.#context.begin(call);
    this.#calls?.begin(call.record?.run ?? call.run ?? 0);
  }

  /** Closes what the guest left open. `stdout`, `stderr`, `ending` and the counters stay until the next `begin`. */
  end(): void {
    this.#context.end();
    this.#calls?.end();
  }

  /** In place of `end`, of a guest whose state is kept: what it left open stays open. */
  keep(): void {
    this.#context.keep();
    this.#calls?.end();
  }

  /** What the guest wrote, in a copy that is the caller's. */
  stdout(): Uint8Array {
    return this.#context.stdout.take();
  }

  stderr(): Uint8Array {
    return this.#context.stderr.take();
  }

  /** How the guest ended itself, set before STOP is thrown; undefined while it runs and when it returned. */
  get ending(): Ending | undefined {
    return this.#context.ending;
  }

  /** Calls from the guest since `begin`. */
  get hostCalls(): number {
    return this.#context.hostCalls;
  }

  /** Bytes the guest read from its stdin since `begin`. */
  get inputBytesRead(): number {
    return this.#context.stdin.bytesRead;
  }

  /** Whether the guest drew randomness or read a clock since `begin`. */
  get reads(): { readonly random: boolean; readonly clock: boolean } {
    return this.#context.reads;
  }
}

/** The functions that are imported: what is not kept costs a thousand idle micro-VMs nothing. */
function only(
  imported: ReadonlySet<string> | undefined,
  functions: HostFunctions,
  suspension: Suspension | undefined,
): WebAssembly.ModuleImports {
  if (imported === undefined) return functions;
  const kept = Object.entries(functions).filter(([name]) => imported.has(name));
  if (suspension === undefined) return Object.fromEntries(kept);
  return Object.fromEntries(kept.map(([name, run]) => [name, WAITING.has(name) ? suspending(run) : run]));
}

function createFunctions(context: Context, variant: AbiVariant, suspension?: Suspension): HostFunctions {
  return {
    ...createArgsFunctions(context),
    ...createEnvironFunctions(context),
    ...createClockFunctions(context),
    ...createFdFunctions(context, variant),
    ...createFdIoFunctions(context),
    ...createPathFunctions(context, variant),
    ...createPollFunctions(context, variant, suspension),
    ...createProcFunctions(context),
    ...createRandomFunctions(context),
    ...createSchedFunctions(context),
    ...createSockFunctions(context),
  };
}
