/** A native guest that is kept and answers one frame at a time. It keeps its state from call to call. */

import { Buffer } from 'node:buffer';
import type { Limits } from '../../host/limits.ts';
import type { Ending, EngineUsage } from '../../host/outcome.ts';
import type { GuestEnd, NativeBackend, NativeDefinition, NativeGuest, PhaseTimes } from './backend.ts';
import { endingOf, lossOf } from './ending.ts';
import { AnswerReader, requestHeader, type FrameAnswer, type FrameRefusal } from './frames.ts';

/** How an exchange came out: an answer, an ending without one, or a guest that was lost. */
export type Exchange =
  | { readonly answer: FrameAnswer }
  | { readonly ending: Ending; readonly stderr: Uint8Array }
  | { readonly lost: string };

/** The argument that makes a guest serve frames. */
const SERVE = '--serve';

/** One guest that is kept. */
export class KeptGuest {
  readonly #limits: Limits;
  /** Undefined until its launch has come to its end; what it writes may arrive before. */
  #guest: NativeGuest | undefined;
  #reader: AnswerReader | undefined;
  #onExchange: ((exchange: Exchange) => void) | undefined;
  #onEnd: (() => void) | undefined;
  /** What it wrote to stderr outside of frames in this call, such as a panic's message. */
  #stderr: Uint8Array[] = [];
  #stderrBytes = 0;
  #answered = 0;
  #isDead = false;
  #loss = 'it ended before the call';
  /** Why it is being killed, which is then the ending of the exchange. */
  #stopped: Ending | undefined;

  private constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws NebulaError when it cannot be launched */
  static async launch<Definition extends NativeDefinition, Prepared>(
    backend: NativeBackend<Definition, Prepared>,
    definition: Definition,
    prepared: Prepared,
    times: PhaseTimes,
  ): Promise<KeptGuest> {
    const kept = new KeptGuest(definition.limits);
    const guest = await backend.launch(definition, prepared, {
      arguments: [SERVE, ...definition.arguments],
      environment: definition.environment,
      input: undefined,
      onStdout: (chunk) => kept.#read(chunk),
      onStderr: (chunk) => kept.#keepStderr(chunk),
      times,
    });
    kept.#guest = guest;
    void guest.ended.then((end) => kept.#ended(end));
    return kept;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Calls it answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Why it died outside of a call. */
  get loss(): string {
    return this.#loss;
  }

  /** What the engine spent on it so far. */
  usage(): EngineUsage | undefined {
    return this.#guest?.usage();
  }

  /** Called once, when it dies or has to be given up. */
  set onEnd(listener: () => void) {
    this.#onEnd = listener;
  }

  exchange(input: Uint8Array): Promise<Exchange> {
    const guest = this.#guest;
    if (this.#isDead || guest === undefined) return Promise.resolve({ lost: this.#loss });
    return new Promise((resolve) => {
      this.#stderr = [];
      this.#stderrBytes = 0;
      this.#reader = new AnswerReader(this.#limits);
      this.#onExchange = resolve;
      guest.write(requestHeader(input.length));
      if (input.length > 0) guest.write(input);
    });
  }

  /** Kills it; an exchange under way ends so. Settles when it is dead, or cannot be reached. */
  async stop(ending: Ending): Promise<void> {
    this.#stopped ??= ending;
    this.#giveUp();
    await this.#guest?.kill();
    this.#settle({ ending, stderr: Buffer.concat(this.#stderr) });
  }

  async remove(): Promise<void> {
    this.#giveUp();
    await this.#guest?.remove();
  }

  #read(chunk: Uint8Array): void {
    if (this.#isDead) return;
    const result = this.#reader === undefined ? 'no-frame' : this.#reader.take(chunk);
    if (result === undefined) return;
    this.#reader = undefined;
    if (typeof result === 'string') {
      this.#refuse(result);
      return;
    }
    this.#answered++;
    this.#settle({ answer: result });
  }

  /** What it writes cannot be told apart any more from the answer to the next call. */
  #refuse(refusal: FrameRefusal): void {
    if (refusal === 'no-frame') {
      this.#giveUp();
      this.#loss = `expected one frame on its stdout, got other bytes; it is started with ${SERVE}`;
      this.#settle({ lost: this.#loss });
      void this.#guest?.remove();
      return;
    }
    void this.stop({ kind: 'limit', limit: refusal, allowed: this.#limits[refusal] });
  }

  #keepStderr(chunk: Uint8Array): void {
    const part = chunk.subarray(0, this.#limits.stderrBytes - this.#stderrBytes);
    if (part.length === 0) return;
    this.#stderrBytes += part.length;
    this.#stderr.push(part);
  }

  #ended(end: GuestEnd): void {
    this.#giveUp();
    const ending = this.#stopped ?? endingOf(end, this.#limits);
    // A guest that leaves with 0 in the middle of a call has not answered it.
    if (ending === undefined || ending.kind === 'ok') this.#settle({ lost: lossOf(end) });
    else this.#settle({ ending, stderr: Buffer.concat(this.#stderr) });
    void this.#guest?.remove();
  }

  #giveUp(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#onEnd?.();
  }

  #settle(exchange: Exchange): void {
    const settle = this.#onExchange;
    this.#onExchange = undefined;
    settle?.(exchange);
  }
}
