/** The blocks that are open at a place of a function body: operands below each, and what its type takes and gives. */

const FIRST_BLOCKS = 256;

/** A stack of blocks that grows and is used for one body after the other. */
export class OpenBlocks {
  #bases = new Int32Array(FIRST_BLOCKS);
  #parameters = new Int32Array(FIRST_BLOCKS);
  #results = new Int32Array(FIRST_BLOCKS);
  #depth = 0;

  /** Blocks open at once, the function's own among them. */
  get depth(): number {
    return this.#depth;
  }

  clear(): void {
    this.#depth = 0;
  }

  /** Opens a block whose parameters are the uppermost of `height` operands. */
  open(height: number, parameters: number, results: number): void {
    const at = this.#depth++;
    if (at === this.#bases.length) {
      this.#bases = doubled(this.#bases);
      this.#parameters = doubled(this.#parameters);
      this.#results = doubled(this.#results);
    }
    this.#bases[at] = height - parameters;
    this.#parameters[at] = parameters;
    this.#results[at] = results;
  }

  /** Closes the innermost block and answers how many operands there are behind it; `height` where none is open. */
  close(height: number): number {
    if (this.#depth === 0) return height;
    const behind = this.base() + (this.#results[this.#depth - 1] as number);
    this.#depth--;
    return behind;
  }

  /** Operands below the innermost block. */
  base(): number {
    return this.#depth === 0 ? 0 : (this.#bases[this.#depth - 1] as number);
  }

  /** Parameters of the innermost block. */
  parameters(): number {
    return this.#depth === 0 ? 0 : (this.#parameters[this.#depth - 1] as number);
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
