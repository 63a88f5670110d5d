/** Places in function bodies that a rewriting changes, gathered without an object for each. */

import { NOTABLE, type Notable } from './notable.ts';

/** A place in a function body that the rewriting replaces or follows up. */
export interface Edit {
  readonly instruction: Notable;
  readonly start: number;
  readonly end: number;
  readonly immediate: number;
}

/** Edits of one module, in the order of its code; of a body the ones from one number to another. */
export class Edits {
  #numbers = new Uint32Array(64);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(instruction: Notable, start: number, end: number, immediate: number): void {
    const at = this.#count * 4;
    if (at === this.#numbers.length) {
      const larger = new Uint32Array(at * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[at] = NUMBER_OF[instruction];
    this.#numbers[at + 1] = start;
    this.#numbers[at + 2] = end;
    this.#numbers[at + 3] = immediate;
    this.#count++;
  }

  at(index: number): Edit {
    const from = index * 4;
    const numbers = this.#numbers;
    return {
      instruction: NOTABLE[numbers[from] as number] as Notable,
      start: numbers[from + 1] as number,
      end: numbers[from + 2] as number,
      immediate: numbers[from + 3] as number,
    };
  }
}

const NUMBER_OF = Object.fromEntries(NOTABLE.map((instruction, number) => [instruction, number])) as Record<
  Notable,
  number
>;
