/** The rows of a run, found by what was measured. Pure. */

import type { Blocks } from '../../statistics/bootstrap.ts';
import type { Plan } from './plan.ts';
import type { Row } from './rows.ts';

/** Names one cell of the plan. */
export interface CellName {
  readonly target: string;
  readonly function: string;
  readonly input: string;
}

/** One call that did not end as it should. */
export interface FailedCall extends CellName {
  readonly block: number;
  readonly call: number;
  readonly outcome: string;
  readonly reason: string;
}

interface CellSamples {
  /** Nanoseconds by phase, then by block. */
  readonly phases: Map<string, number[][]>;
  /** Nanoseconds by phase, in the order of the calls; warm-ups come before the others. */
  readonly warmUps: Map<string, number[]>;
}

const keyOf = (cell: CellName): string => `${cell.target} ${cell.function} ${cell.input}`;

const inOrderOf = (names: readonly string[]): string[] => [...new Set(names)];

function compareRanks(left: readonly number[], right: readonly number[]): number {
  const at = left.findIndex((rank, index) => rank !== right[index]);
  return at < 0 ? 0 : (left[at] as number) - (right[at] as number);
}

/** The measured calls of a run, without those that failed, by cell, phase and block. */
export class Samples {
  /** In the order of the plan. */
  readonly cells: readonly CellName[];
  readonly #inputs: readonly string[];
  readonly failed: readonly FailedCall[];
  readonly blockCount: number;
  readonly #samples: Map<string, CellSamples> = new Map();

  constructor(rows: readonly Row[], plan: Pick<Plan, 'targets' | 'functions' | 'inputs'>) {
    const cells = new Map<string, CellName>();
    const failed: FailedCall[] = [];
    let blockCount = 0;
    for (const row of rows) {
      const { target, function: functionName, input, block } = row;
      const cell = { target, function: functionName, input };
      if (!cells.has(keyOf(cell))) cells.set(keyOf(cell), cell);
      blockCount = Math.max(blockCount, block + 1);
      if (row.outcome === 'ok') this.#add(cell, row);
      else if (row.phase === 'total') {
        failed.push({ ...cell, block, call: row.call, outcome: row.outcome, reason: row.reason ?? row.outcome });
      }
    }
    const rank = (cell: CellName): readonly number[] => [
      (plan.targets as readonly string[]).indexOf(cell.target),
      plan.functions.indexOf(cell.function),
      plan.inputs.indexOf(cell.input),
    ];
    this.cells = [...cells.values()].sort((left, right) => compareRanks(rank(left), rank(right)));
    this.#inputs = plan.inputs;
    this.failed = failed;
    this.blockCount = blockCount;
  }

  get targets(): string[] {
    return inOrderOf(this.cells.map((cell) => cell.target));
  }

  get functions(): string[] {
    return inOrderOf(this.cells.map((cell) => cell.function));
  }

  /** In the order of the plan. */
  get inputs(): string[] {
    return this.#inputs.filter((input) => this.cells.some((cell) => cell.input === input));
  }

  /** Inputs of a function, in the order of the plan. */
  inputsOf(functionName: string): string[] {
    return this.inputs.filter((input) =>
      this.cells.some((cell) => cell.function === functionName && cell.input === input),
    );
  }

  phasesOf(cell: CellName): string[] {
    return [...(this.#samples.get(keyOf(cell))?.phases.keys() ?? [])];
  }

  /** Nanoseconds, by block; a block without a call is empty. Undefined when the phase was never measured. */
  blocks(cell: CellName, phase: string): Blocks | undefined {
    const blocks = this.#samples.get(keyOf(cell))?.phases.get(phase);
    if (blocks === undefined) return undefined;
    return Array.from({ length: this.blockCount }, (_, block) => Float64Array.from(blocks[block] ?? []));
  }

  /** Nanoseconds of all measured calls, in the order in which they were made. */
  values(cell: CellName, phase: string): number[] {
    return (this.#samples.get(keyOf(cell))?.phases.get(phase) ?? []).flat();
  }

  /** Nanoseconds of the warm-ups: those before the first block, then the first ones of each turn. */
  warmUps(cell: CellName, phase: string): readonly number[] {
    return this.#samples.get(keyOf(cell))?.warmUps.get(phase) ?? [];
  }

  #add(cell: CellName, row: Row): void {
    const key = keyOf(cell);
    let samples = this.#samples.get(key);
    if (samples === undefined) this.#samples.set(key, (samples = { phases: new Map(), warmUps: new Map() }));
    if (row.warmUp === true || row.block < 0) {
      const values = samples.warmUps.get(row.phase);
      if (values === undefined) samples.warmUps.set(row.phase, [row.ns]);
      else values.push(row.ns);
      return;
    }
    let blocks = samples.phases.get(row.phase);
    if (blocks === undefined) samples.phases.set(row.phase, (blocks = []));
    for (let missing = blocks.length; missing <= row.block; missing++) blocks.push([]);
    (blocks[row.block] as number[]).push(row.ns);
  }
}
