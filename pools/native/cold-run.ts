/** One call with a guest of its own: launched, given all its input, waited for, cleared away. */

import { mergeVariables } from '../../host/capabilities/environment/variables.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation, Outcome } from '../../host/outcome.ts';
import type { GuestEnd, NativeBackend, NativeDefinition, NativeGuest, PhaseTimes } from './backend.ts';
import { endingOf, lossOf } from './ending.ts';
import { BoundedOutput } from './output.ts';
import { outcomeOf, type NativeRun } from './run.ts';

/** What is known of a call when its guest is launched. */
export interface ColdRunOptions {
  readonly queueNs: number;
  /** Whether the answer waits until the guest is cleared away, so that it can tell how long that took. */
  readonly awaitRemoval: boolean;
}

/** A call and its guest, which are made and end together. */
export class ColdRun<Definition extends NativeDefinition, Prepared> implements NativeRun {
  readonly outcome: Promise<Outcome>;
  readonly gone: Promise<void>;
  readonly #backend: NativeBackend<Definition, Prepared>;
  readonly #definition: Definition;
  readonly #invocation: Invocation;
  readonly #awaitRemoval: boolean;
  readonly #times: PhaseTimes;
  readonly #stdout: BoundedOutput;
  readonly #stderr: BoundedOutput;
  #resolve!: (outcome: Outcome) => void;
  #reject!: (error: unknown) => void;
  #guest: NativeGuest | undefined;
  #launchedNs = 0;
  #stopped: Ending | undefined;

  constructor(
    backend: NativeBackend<Definition, Prepared>,
    definition: Definition,
    prepared: Prepared,
    invocation: Invocation,
    options: ColdRunOptions,
  ) {
    this.#backend = backend;
    this.#definition = definition;
    this.#invocation = invocation;
    this.#awaitRemoval = options.awaitRemoval;
    this.#times = { queue: options.queueNs };
    const { outputBytes, stderrBytes } = definition.limits;
    this.#stdout = new BoundedOutput(
      outputBytes,
      () => this.stop({ kind: 'limit', limit: 'outputBytes', allowed: outputBytes }),
      invocation.passOn?.stdout,
    );
    this.#stderr = new BoundedOutput(
      stderrBytes,
      () => this.stop({ kind: 'limit', limit: 'stderrBytes', allowed: stderrBytes }),
      invocation.passOn?.stderr,
    );
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.gone = this.#go(prepared);
  }

  stop(ending: Ending): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = ending;
    if (this.#guest === undefined) this.#answer(ending, 0, 0);
    else void this.#kill(this.#guest);
  }

  async #go(prepared: Prepared): Promise<void> {
    const { arguments: given, environment } = this.#definition;
    let guest: NativeGuest;
    try {
      guest = await this.#backend.launch(this.#definition, prepared, {
        arguments: this.#invocation.arguments ?? given,
        environment: mergeVariables(environment, this.#invocation.environment),
        input: this.#invocation.input,
        onStdout: (chunk) => this.#stdout.append(chunk),
        onStderr: (chunk) => this.#stderr.append(chunk),
        times: this.#times,
      });
    } catch (error) {
      this.#reject(error);
      return;
    }
    if (this.#stopped !== undefined) {
      await guest.remove();
      return;
    }
    this.#guest = guest;
    this.#launchedNs = monotonicNs();
    const end = await guest.ended;
    await this.#finish(guest, end);
  }

  async #finish(guest: NativeGuest, end: GuestEnd): Promise<void> {
    const ending = this.#stopped ?? endingOf(end, this.#definition.limits);
    const runNs = Math.max(0, end.endedNs - this.#launchedNs);
    const collectNs = monotonicNs() - end.endedNs;
    if (this.#awaitRemoval && ending !== undefined) {
      const endedNs = monotonicNs();
      await guest.remove();
      this.#times.remove = monotonicNs() - endedNs;
      this.#answer(ending, runNs, collectNs);
      return;
    }
    if (ending === undefined) this.#reject(this.#backend.lost(this.#definition.name, lossOf(end)));
    else this.#answer(ending, runNs, collectNs);
    await guest.remove();
  }

  /** A guest that cannot be reached any more must not keep its caller waiting: dead or not, the answer leaves. */
  async #kill(guest: NativeGuest): Promise<void> {
    await guest.kill();
    if (this.#awaitRemoval) await guest.remove();
    this.#answer(this.#stopped as Ending, monotonicNs() - this.#launchedNs, 0);
  }

  /** The first answer counts. */
  #answer(ending: Ending, runNs: number, collectNs: number): void {
    this.#times.run = runNs;
    this.#times.collect = collectNs;
    this.#resolve(
      outcomeOf({
        ending,
        stdout: this.#stdout.bytes(),
        stderr: this.#stderr.bytes(),
        start: 'cold',
        inputBytes: this.#invocation.input.length,
        times: this.#times,
        engine: this.#guest?.usage(),
      }),
    );
  }
}
