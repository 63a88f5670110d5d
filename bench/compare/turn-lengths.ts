/** How many calls a cell has in its turn, and how many of them are warm-ups. */

import type { Cell } from './cells.ts';
import type { Plan } from './plan.ts';

/** Of a cell whose calls are long, before the first block. */
const LONG_WARM_UPS = 2;

/** Reckons the calls of a cell's turn by the plan and by how long the cell's calls are. */
export class TurnLengths {
  readonly #plan: Plan;
  readonly #long: Set<Cell> = new Set();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Takes note of a call before the first block: whether the cell's calls are long is known from then on. */
  learn(cell: Cell, totalNs: number): void {
    if (totalNs < this.#plan.longMs * 1e6) this.#long.delete(cell);
    else this.#long.add(cell);
  }

  /** Block -1 is the warm-up. */
  callsOf(cell: Cell, block: number): number {
    const { warmUps, coldWarmUps, repeats, coldRepeats } = this.#plan;
    const long = this.#long.has(cell);
    if (block < 0) return cell.target.isCold ? coldWarmUps : long ? Math.min(warmUps, LONG_WARM_UPS) : warmUps;
    return this.warmUpsOf(cell, block) + (cell.target.isCold || long ? coldRepeats : repeats);
  }

  /** The first calls of a turn find the caches full of other targets: that costs milliseconds, which a long call does not feel. */
  warmUpsOf(cell: Cell, block: number): number {
    if (block < 0) return this.callsOf(cell, block);
    return cell.target.isCold || this.#long.has(cell) ? 0 : this.#plan.turnWarmUps;
  }

  /** Calls of a block. */
  blockOf(cells: readonly Cell[], block: number): number {
    return cells.reduce((sum, cell) => sum + this.callsOf(cell, block), 0);
  }
}
