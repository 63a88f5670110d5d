/** The pieces of an input that is a stream, which its reader may leave while one does not come. */

import { argumentError } from '../../host/errors.ts';

/** Reads an input. One read at a time. */
export class InputPieces {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #isOver = false;
  #isLeft = false;
  #endWait: ((piece: undefined) => void) | undefined = undefined;

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#iterator = input[Symbol.asyncIterator]();
  }

  /** Whether its reader left before its end. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** The next piece; undefined at the end, and once it is left. @throws what the input throws; TypeError for a piece that is none */
  next(): Promise<Uint8Array | undefined> {
    if (this.#isLeft) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#endWait = resolve;
      this.#read().then(resolve, reject);
    });
  }

  /** Ends a wait, and lets go of the input where it has not ended. What it says to that is nobody's any more. */
  leave(): void {
    if (this.#isOver || this.#isLeft) return;
    this.#isLeft = true;
    this.#endWait?.(undefined);
    this.#return().catch(() => undefined);
  }

  async #read(): Promise<Uint8Array | undefined> {
    let result: IteratorResult<Uint8Array>;
    try {
      result = await this.#iterator.next();
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
    if (result.done === true) {
      this.#isOver = true;
      return undefined;
    }
    const piece: unknown = result.value;
    if (!(piece instanceof Uint8Array)) throw argumentError('input', 'a stream of Uint8Array', piece);
    return piece;
  }

  async #return(): Promise<void> {
    await this.#iterator.return?.();
  }
}
