/** What all core instances of a component may have of memory and tables together, counted as they take it. */

import { GROWTH_BUDGET } from './growth.ts';
import { counterModule } from './growth-code.ts';

interface Counter {
  readonly take: (count: number) => number;
  readonly left: WebAssembly.Global<'i32'>;
}

let compiled: WebAssembly.Module | undefined;

function createCounter(left: number): Counter {
  compiled ??= new WebAssembly.Module(counterModule());
  const counter = new WebAssembly.Instance(compiled).exports as unknown as Counter;
  counter.left.value = left;
  return counter;
}

export class GrowthBudget {
  readonly #pages: Counter;
  readonly #elements: Counter;

  constructor(memoryPages: number, tableElements: number) {
    this.#pages = createCounter(memoryPages);
    this.#elements = createCounter(tableElements);
  }

  get pagesLeft(): number {
    return this.#pages.left.value;
  }

  get elementsLeft(): number {
    return this.#elements.left.value;
  }

  /** What is left as a whole, for `leave`. */
  get left(): readonly [pages: number, elements: number] {
    return [this.pagesLeft, this.elementsLeft];
  }

  /** Has as much left as before. */
  leave([pages, elements]: readonly [pages: number, elements: number]): void {
    this.#pages.left.value = pages;
    this.#elements.left.value = elements;
  }

  /** Takes what an instance begins with; false when it is not to be had, and then nothing is taken. */
  take(memoryPages: number, tableElements: number): boolean {
    if (memoryPages > this.pagesLeft || tableElements > this.elementsLeft) return false;
    this.#pages.take(memoryPages);
    this.#elements.take(tableElements);
    return true;
  }

  /** Has an instance take from here what it grows by. To be called before any of its code runs. */
  connect(instance: WebAssembly.Instance): void {
    const table = instance.exports[GROWTH_BUDGET] as WebAssembly.Table | undefined;
    table?.set(0, this.#pages.take);
    table?.set(1, this.#elements.take);
  }
}
