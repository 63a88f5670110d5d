/** The caller's side of a call whose stdin, stdout or both travel over a channel while its guest runs. */

import { NO_BYTES } from '../../host/bytes.ts';
import { CallerSignal } from '../../host/component/channel/signal.ts';
import { RING } from '../../host/component/channel/ring.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import { DisconnectSignal } from '../../pools/disconnect-signal.ts';
import type { Watched } from '../component/client-watch.ts';
import { keepChannel, takeChannel } from '../component/kept-channels.ts';
import { RequestWriter } from '../component/request-writer.ts';
import { ResponseReader } from '../component/response-reader.ts';
import type { Target } from '../component/target.ts';
import { toOutcomeError } from '../wire/outcome-error.ts';
import { InputPieces } from './input-pieces.ts';

/** Time a guest that is told to stop may take before its thread is ended: one that waits will, one that computes may not. */
const STOP_MS = { waiting: 1000, computing: 50 } as const;

const ABORTED = new NebulaError('CLIENT_CLOSED');

/** A call under way. */
export class StreamedCall implements Watched {
  readonly outcome: Promise<Outcome>;
  readonly #target: Target;
  readonly #channel: SharedArrayBuffer;
  readonly #signal: CallerSignal;
  readonly #reader: ResponseReader;
  readonly #abort: DisconnectSignal = new DisconnectSignal();
  readonly #caller: AbortSignal | undefined;
  readonly #onCallerAbort = (): void => this.#stop(new NebulaError('CLIENT_CLOSED'));
  #outcome: Outcome | undefined = undefined;
  #failure: { readonly error: unknown } | undefined = undefined;
  #stopTimer: NodeJS.Timeout | undefined = undefined;
  #pieces: InputPieces | undefined = undefined;
  /** What its input has thrown. */
  inputError: { readonly error: unknown } | undefined = undefined;
  /** Whether its stdin still comes: it has one of the places (component/client-watch.ts). */
  isReceiving: boolean;
  /** Bytes that its caller has sent and read so far. */
  movedBytes = 0;
  /** What still uses the channel: guest, stdin, stdout. */
  #users = 1;

  /** Starts the guest; the place of a call whose stdin comes must have been taken. */
  constructor(
    target: Target,
    input: AsyncIterable<Uint8Array> | undefined,
    given: Invocation & { readonly hasOutput: boolean },
    caller: AbortSignal | undefined,
  ) {
    this.#target = target;
    this.#caller = caller;
    this.#channel = takeChannel(target.limits.bufferBytes);
    this.#signal = new CallerSignal(this.#channel);
    this.#reader = new ResponseReader(this.#channel, this.#signal, () => this.#isOver);
    this.isReceiving = input !== undefined;
    const { hasOutput, ...invocation } = given;
    const streams = { channel: this.#channel, input: input !== undefined, output: hasOutput };
    if (caller !== undefined) watchAbort(caller, this.#onCallerAbort);
    if (hasOutput) this.#users++;
    if (input !== undefined) this.#users++;
    this.outcome = this.#watch(target.invoke({ ...invocation, streams }, this.#abort));
    // Whoever reads stdout is told, too.
    this.outcome.catch(() => undefined);
    target.clients.add(this);
    if (input !== undefined) void this.#send(input);
  }

  /** Whether its guest waits for its caller, and for nothing else. */
  get isAwaited(): boolean {
    return this.#signal.isAwaited;
  }

  /** Stops the guest, whose caller is too slow. */
  stopSlow(): void {
    this.#stop(new NebulaError('CLIENT_SLOW', { name: this.#target.name }));
  }

  /** What the guest writes, as it comes. Whoever stops reading ends the guest. @throws what ended the guest other than its return */
  read(): AsyncGenerator<Uint8Array, void, undefined> {
    const output = this.#read();
    // A generator that is left before it has begun runs nothing: it begins here, and stands at its first yield.
    void output.next();
    return output;
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    let isWhole = false;
    try {
      yield NO_BYTES;
      for (let frame = await this.#reader.next(); frame !== undefined; frame = await this.#reader.next()) {
        yield frame.bytes;
        this.movedBytes += frame.bytes.length;
      }
      isWhole = true;
      if (this.#failure !== undefined) throw this.#failure.error;
      const outcome = await this.outcome;
      if (outcome.kind !== 'ok') throw toOutcomeError(this.#target.name, outcome);
    } finally {
      if (!isWhole) {
        this.#reader.close(RING.broken);
        this.#stop(ABORTED);
      }
      this.#leave();
    }
  }

  get #isOver(): boolean {
    return this.#outcome !== undefined || this.#failure !== undefined;
  }

  /** Has the guest end where it next waits, so that its thread lives on; if it does not in time, ends the thread. */
  #stop(error: unknown): void {
    if (this.#outcome !== undefined) return;
    this.#failure ??= { error };
    const stopMs = this.#signal.isAwaited ? STOP_MS.waiting : STOP_MS.computing;
    this.#signal.stopGuest();
    this.#signal.wake();
    this.#stopTimer ??= setTimeout(() => this.#abort.abort(ABORTED), stopMs);
  }

  async #watch(running: Promise<Outcome>): Promise<Outcome> {
    try {
      this.#outcome = await running;
      return this.#outcome;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    } finally {
      clearTimeout(this.#stopTimer);
      this.#target.clients.remove(this);
      this.#receivedAll();
      this.#pieces?.leave();
      if (this.#caller !== undefined) unwatchAbort(this.#caller, this.#onCallerAbort);
      this.#signal.wake();
      this.#leave();
    }
  }

  /** Sends stdin at the pace at which the guest reads it. */
  async #send(input: AsyncIterable<Uint8Array>): Promise<void> {
    const writer = new RequestWriter(this.#channel, this.#signal, () => this.#isOver);
    try {
      const pieces = (this.#pieces = new InputPieces(input));
      for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
        this.movedBytes += piece.byteLength;
        if (!(await writer.body(piece))) return;
      }
      if (pieces.isLeft) return;
      writer.end();
      this.#receivedAll();
    } catch (error) {
      this.inputError = { error };
      writer.breakOff();
      this.#stop(error);
    } finally {
      this.#pieces?.leave();
      this.#leave();
    }
  }

  /** Gives back the place of a call whose stdin comes. */
  #receivedAll(): void {
    if (!this.isReceiving) return;
    this.isReceiving = false;
    this.#target.clients.leavePlace(this.#target.name);
  }

  /** The last to leave gives the channel back; that of a guest that was stopped may still be written to. */
  #leave(): void {
    this.#users--;
    if (this.#users === 0 && this.#outcome?.kind === 'ok') keepChannel(this.#channel);
  }
}
