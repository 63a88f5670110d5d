/** Modules with a budget, run without a micro-VM around them. */

import { readLayout } from '../../../host/module/layout.ts';
import { instrument } from '../../../host/module/instrument.ts';
import { scanValid } from '../../../host/module/scan.ts';
import { asWasmFunction, unitSlotsOf } from '../../../host/module/refill.ts';

const CAPS = { memoryPages: 64, tableElements: 10_000, isShared: false, isSized: true };

/** Rewritten as a module of a function is, with a budget or without. */
export function rewritten(bytes: Uint8Array, hasBudget: boolean): Uint8Array<ArrayBuffer> {
  const layout = readLayout(bytes);
  return instrument(layout, scanValid(layout, { hasBudget }), CAPS);
}

/** An instance that has a number of grants, one after the other, and none after them. */
export class BudgetedInstance {
  readonly exports: Record<string, (...values: unknown[]) => unknown>;
  readonly #units: WebAssembly.Global<'i32'>;
  readonly #grant: number;
  readonly #grants: number;
  /** How often more was asked for. */
  asked = 0;

  constructor(bytes: Uint8Array, imports: WebAssembly.Imports, { grant = 1000, grants = 0 } = {}) {
    this.#grant = grant;
    this.#grants = grants;
    const module = new WebAssembly.Module(rewritten(bytes, true));
    const instance = new WebAssembly.Instance(module, imports);
    const slots = unitSlotsOf(instance);
    if (slots === undefined) throw new Error('a module without a budget');
    this.#units = slots.units;
    this.exports = instance.exports as BudgetedInstance['exports'];
    slots.units.value = grant;
    const refill = (): number => (this.asked++ < grants ? grant : 0);
    slots.refill.set(0, asWasmFunction(refill));
  }

  /** Units left; below zero once more was asked for and refused. */
  get left(): number {
    return this.#units.value;
  }

  /** Units spent so far. */
  get spent(): number {
    return this.#grant * (1 + Math.min(this.asked, this.#grants)) - this.#units.value;
  }
}
