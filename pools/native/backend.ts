/**
 * What native guests have in common, whether each is a container or a process: how they are defined, launched, ended and
 * cleared away. An executor is this interface and the calls made over it (cold-run.ts, kept-guests.ts).
 */

import type { NebulaError } from '../../host/errors.ts';
import type { Limits } from '../../host/limits.ts';
import type { EngineUsage } from '../../host/outcome.ts';
import type { ContainerPhaseName } from '../../host/phases.ts';

/** A function whose guests are programs of this machine. */
export interface NativeDefinition {
  /** Unique among the versions of all functions of a process. */
  readonly id: string;
  readonly name: string;
  /**
   * `cold`: a guest for each call, which reads its stdin to the end, answers on stdout and exits.
   * `warm`: guests that are kept and answer frames (functions/README.md). They are started with `--serve`, they keep
   * their state from call to call, and a call cannot give them arguments or variables of its own.
   */
  readonly mode: 'cold' | 'warm';
  readonly limits: Limits;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** How long a kept guest may wait for its next call, in milliseconds; 0 is without end. */
  readonly idleTimeoutMs: number;
}

/** Nanoseconds of the phases passed so far. */
export type PhaseTimes = Partial<Record<ContainerPhaseName, number>>;

/** What a launch needs besides the function. */
export interface Launch {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** All of stdin; without it stdin stays open for `write`. */
  readonly input: Uint8Array | undefined;
  readonly onStdout: (chunk: Uint8Array) => void;
  readonly onStderr: (chunk: Uint8Array) => void;
  /** Takes the phases of the launch. */
  readonly times: PhaseTimes;
}

/** How a guest ended, and when that was learnt, on the clock of `monotonicNs`. */
export type GuestEnd = { readonly endedNs: number } & (
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 'lost'; readonly detail: string }
);

/** A guest that was launched. None of its promises rejects. */
export interface NativeGuest {
  /** Settles when the guest has ended and all it wrote was handed over. */
  readonly ended: Promise<GuestEnd>;
  write(chunk: Uint8Array): void;
  /** Kills it. Settles when it is dead, or cannot be reached. */
  kill(): Promise<void>;
  /** Clears away what is left of it, killing it if it still runs. */
  remove(): Promise<void>;
  /** What the engine spent on it so far, where there is an engine. */
  usage(): EngineUsage | undefined;
}

/** Where native guests run. `Prepared` is what a deploy makes of a definition. */
export interface NativeBackend<Definition extends NativeDefinition, Prepared> {
  readonly kind: 'container' | 'process';
  /** @throws NebulaError when the function cannot be run at all */
  prepare(definition: Definition): Promise<Prepared>;
  discard(prepared: Prepared): Promise<void>;
  /** The image that guests are made from, where there is one. */
  imageIdOf?(prepared: Prepared): string;
  /** @throws NebulaError when the guest could not be started; nothing of it is left then */
  launch(definition: Definition, prepared: Prepared, launch: Launch): Promise<NativeGuest>;
  /** The error of a guest that ended through no fault of its own. */
  lost(name: string, detail: string): NebulaError;
  close(): Promise<void>;
}
