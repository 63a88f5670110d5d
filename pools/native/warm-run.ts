/** One call answered by a kept guest, which is launched first when none is idle. */

import { noOutput } from '../../host/bytes.ts';
import { argumentError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation, Outcome, Start } from '../../host/outcome.ts';
import type { NativeBackend, NativeDefinition, PhaseTimes } from './backend.ts';
import type { FrameAnswer } from './frames.ts';
import type { Exchange, KeptGuest } from './kept-guest.ts';
import { outcomeOf, type NativeRun } from './run.ts';

/** Where a run gets its guest from. */
export interface GuestSource {
  readonly backend: Pick<NativeBackend<NativeDefinition, unknown>, 'lost'>;
  readonly definition: NativeDefinition;
  idle(): KeptGuest | undefined;
  spare(): Promise<KeptGuest> | undefined;
  launch(times: PhaseTimes): Promise<KeptGuest>;
  release(kept: KeptGuest): void;
}

/** A call and the kept guest that it has meanwhile. */
export class WarmRun implements NativeRun {
  readonly outcome: Promise<Outcome>;
  readonly gone: Promise<void>;
  readonly #source: GuestSource;
  readonly #invocation: Invocation;
  readonly #times: PhaseTimes;
  #resolve!: (outcome: Outcome) => void;
  #reject!: (error: unknown) => void;
  #kept: KeptGuest | undefined;
  #start: Start = 'ready';
  #stopped: Ending | undefined;

  constructor(source: GuestSource, invocation: Invocation, queueNs: number) {
    this.#source = source;
    this.#invocation = invocation;
    this.#times = { queue: queueNs };
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.gone = this.#go();
  }

  stop(ending: Ending): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = ending;
    if (this.#kept === undefined) this.#answer(ending, noOutput(), noOutput());
    else void this.#kept.stop(ending);
  }

  async #go(): Promise<void> {
    try {
      checkInvocation(this.#invocation);
      const kept = this.#source.idle() ?? (await this.#obtain());
      if (this.#stopped !== undefined) {
        this.#source.release(kept);
        return;
      }
      this.#kept = kept;
      const startedNs = monotonicNs();
      const exchange = await kept.exchange(this.#invocation.input);
      this.#times.run = monotonicNs() - startedNs;
      this.#finish(kept, exchange);
    } catch (error) {
      this.#reject(error);
    }
  }

  async #obtain(): Promise<KeptGuest> {
    this.#start = 'cold';
    const spare = await this.#source.spare()?.catch(() => undefined);
    if (spare?.isDead === false) return spare;
    return this.#source.launch(this.#times);
  }

  #finish(kept: KeptGuest, exchange: Exchange): void {
    if ('answer' in exchange) {
      const { exitCode, stdout, stderr }: FrameAnswer = exchange.answer;
      this.#answer(exitCode === 0 ? { kind: 'ok' } : { kind: 'exit', exitCode }, stdout, stderr);
      this.#source.release(kept);
      return;
    }
    if ('ending' in exchange) this.#answer(this.#stopped ?? exchange.ending, noOutput(), exchange.stderr);
    else if (this.#stopped !== undefined) this.#answer(this.#stopped, noOutput(), noOutput());
    else this.#reject(this.#source.backend.lost(this.#source.definition.name, exchange.lost));
  }

  /** The first answer counts. */
  #answer(ending: Ending, stdout: Uint8Array, stderr: Uint8Array): void {
    this.#resolve(
      outcomeOf({
        ending,
        stdout,
        stderr,
        start: this.#start,
        inputBytes: this.#invocation.input.length,
        times: this.#times,
        engine: this.#start === 'cold' ? this.#kept?.usage() : undefined,
      }),
    );
  }
}

function checkInvocation(invocation: Invocation): void {
  const { arguments: given = [], environment = {} } = invocation;
  const expected = 'left out: the guest is kept, and was given its arguments and variables when it started';
  if (given.length > 0) throw argumentError('arguments', expected, given.join(' '));
  if (Object.keys(environment).length > 0) {
    throw argumentError('environment', expected, Object.keys(environment).join(' '));
  }
}
