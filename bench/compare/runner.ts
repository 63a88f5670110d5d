/**
 * Carries a plan out: warm-ups, then blocks in which every cell (target, function, input) has its turn in a new random order,
 * so that the machine's moods hit all targets alike. Every call becomes rows, whatever it came to.
 */

import { messageOf } from '../../host/errors.ts';
import { seededRandom, shuffled } from '../../statistics/random.ts';
import { sha256, type ComparisonCase } from './cases.ts';
import type { Cell } from './cells.ts';
import { watchBlock, type BlockConditions } from './environment.ts';
import type { Plan } from './plan.ts';
import type { Progress } from './progress.ts';
import type { Row } from './rows.ts';
import { readStamps } from './stamps.ts';
import type { CallResult, Target } from './target.ts';
import { TurnLengths } from './turn-lengths.ts';

/** Takes rows as they are made. */
export interface RowSink {
  write(rows: readonly Row[]): void;
}

/** One call as it was seen from outside. */
export interface ObservedCall {
  readonly calledNs: bigint;
  readonly answeredNs: bigint;
  /** What it came to, or the error in place of an outcome. */
  readonly result: CallResult | undefined;
  readonly error: unknown;
  readonly teardownNs: number | undefined;
}

/** A cell's turn, for whoever does more in it. */
export interface Turn {
  readonly cell: Cell;
  /** -1 is the warm-up. */
  readonly block: number;
  /** Makes rows of a further call of the turn and writes them. */
  record(observed: ObservedCall): readonly Row[];
}

/** What is done around the turns of a plan: an energy run has idle guards there and marked batches. */
export interface Companion {
  /** Before each block, and once more after the last one. */
  between(block: number): Promise<void>;
  after(turn: Turn): Promise<void>;
}

/** What goes on beside a comparison. */
export interface Beside {
  readonly companion: Companion;
  /** Ends it and writes what it found into the folder, whatever became of the run. */
  finish(): Promise<void>;
}

/** A plan with all that is needed to carry it out. */
export interface RunRequest {
  readonly run: string;
  readonly plan: Plan;
  readonly cells: readonly Cell[];
  readonly sink: RowSink;
  readonly progress: Progress;
  /** Ends the run after the call under way; what was measured stays. */
  readonly signal: AbortSignal;
  readonly companion?: Companion;
}

/** How the run went; its measurements are in the rows. */
export interface RunResult {
  readonly blocks: readonly BlockConditions[];
  /** Why the plan was not carried out to its end, or null. */
  readonly stopped: string | null;
}

/** Carries a plan out. A call that fails is a row with its reason; only a sink that cannot be written to rejects. */
export async function runPlan(request: RunRequest): Promise<RunResult> {
  const { plan, cells, progress, signal, companion } = request;
  const random = seededRandom(plan.seed);
  const turns = new Turns(request);
  const blocks: BlockConditions[] = [];
  const { lengths } = turns;
  const startMs = performance.now();
  progress.start(lengths.blockOf(cells, -1) + plan.blocks * lengths.blockOf(cells, 0));
  for (let block = -1; block < plan.blocks && !turns.stopped; block++) {
    const left = blocksLeft(plan, blocks, performance.now() - startMs);
    if (block > 0 && left === 0) break;
    if (block >= 0) progress.expect(turns.calls + left * lengths.blockOf(cells, 0));
    if (block >= 0) await companion?.between(block);
    progress.block(block, plan.blocks);
    const finish = watchBlock(block);
    for (const cell of shuffled(cells, random)) {
      if (turns.stopped) break;
      await turns.take(cell, block);
    }
    blocks.push(finish());
  }
  if (!turns.stopped) await companion?.between(plan.blocks);
  progress.stop();
  const interrupted = signal.aborted ? 'interrupted by the user' : null;
  return { blocks, stopped: turns.voided ?? interrupted };
}

/** Blocks that are still to be measured: as many as the plan has, and as its minutes leave time for. */
export function blocksLeft(
  { blocks, minutes }: Pick<Plan, 'blocks' | 'minutes'>,
  done: readonly BlockConditions[],
  elapsedMs: number,
): number {
  const measured = done.filter(({ block }) => block >= 0);
  const left = blocks - measured.length;
  if (minutes === 0 || measured.length === 0) return left;
  const blockSeconds = measured.reduce((sum, { seconds }) => sum + seconds, 0) / measured.length;
  return Math.max(0, Math.min(left, Math.floor((minutes * 60 - elapsedMs / 1000) / blockSeconds)));
}

class Turns {
  readonly lengths: TurnLengths;
  readonly #request: RunRequest;
  #calls = 0;
  /** What makes the whole run void: an answer that is not the expected one. */
  voided: string | null = null;

  constructor(request: RunRequest) {
    this.#request = request;
    this.lengths = new TurnLengths(request.plan);
  }

  /** Calls made so far. */
  get calls(): number {
    return this.#calls;
  }

  get stopped(): boolean {
    return this.voided !== null || this.#request.signal.aborted;
  }

  async take(cell: Cell, block: number): Promise<void> {
    const { companion } = this.#request;
    // What earlier turns left behind is not to be collected at the cost of this one.
    globalThis.gc?.();
    for (let repeat = 0; repeat < this.lengths.callsOf(cell, block) && !this.stopped; repeat++) {
      const warmUp = repeat < this.lengths.warmUpsOf(cell, block);
      const rows = this.#record({ cell, block, warmUp }, await observeCall(cell));
      if (block < 0) this.lengths.learn(cell, rows.find((row) => row.phase === 'total')?.ns ?? 0);
    }
    if (companion === undefined || this.stopped) return;
    const place = { cell, block, warmUp: block < 0 };
    await companion.after({ cell, block, record: (observed) => this.#record(place, observed) });
  }

  #record({ cell, ...place }: { cell: Cell; block: number; warmUp: boolean }, observed: ObservedCall): readonly Row[] {
    const { run, sink, progress } = this.#request;
    const rows = rowsOf(cell, { run, call: this.#calls++, ...place }, observed);
    sink.write(rows);
    progress.called();
    const mismatch = rows.find((row) => row.outcome === 'mismatch');
    if (mismatch !== undefined) this.voided = `void: ${cell.target.name} ${cell.test.function}: ${mismatch.reason}`;
    return rows;
  }
}

interface CallPlace {
  readonly run: string;
  readonly block: number;
  readonly call: number;
  readonly warmUp: boolean;
}

/** Makes one call, and waits until its target is as it was before. */
export async function observeCall({ target, test }: Cell): Promise<ObservedCall> {
  const calledNs = process.hrtime.bigint();
  let result: CallResult;
  try {
    result = await target.call(test);
  } catch (error) {
    const answeredNs = process.hrtime.bigint();
    return { calledNs, answeredNs, result: undefined, error, teardownNs: undefined };
  }
  const answeredNs = process.hrtime.bigint();
  return { calledNs, answeredNs, result, error: undefined, teardownNs: await target.settled?.() };
}

function rowsOf({ target, test }: Cell, place: CallPlace, observed: ObservedCall): Row[] {
  const { calledNs, answeredNs, result, error, teardownNs } = observed;
  if (result === undefined) {
    const failed = { outcome: 'failed', reason: messageOf(error) };
    return toRows(target, test, place, failed, { total: Number(answeredNs - calledNs) });
  }
  const measured = phasesOf(result, calledNs, answeredNs);
  if (teardownNs !== undefined) measured['teardown'] = teardownNs;
  const { outcome, reason } = judge(result, test);
  const ending = reason === undefined ? { outcome } : { outcome, reason };
  return toRows(target, test, place, ending, { ...measured, ...result.phases });
}

/** A wrong answer outweighs how the call ended. */
function judge(result: CallResult, test: ComparisonCase): { outcome: string; reason?: string | undefined } {
  if (result.outcome !== 'ok') return result;
  const got = sha256(result.stdout);
  if (got === test.expectedSha256) return { outcome: 'ok' };
  return { outcome: 'mismatch', reason: `expected an answer with SHA-256 ${test.expectedSha256}, got ${got}` };
}

/**
 * The phases of a call that was made and came back at these times, unless the target knows better. A guest that did not
 * stamp, or by another clock, has no start and no answer of its own.
 */
export function phasesOf(result: CallResult, madeNs: bigint, backNs: bigint): Record<string, number> {
  const { span, teardownNs } = result;
  const { calledNs, answeredNs } = span ?? { calledNs: madeNs, answeredNs: backNs };
  const totalNs = Number(answeredNs - calledNs) - (span === undefined ? (teardownNs ?? 0) : 0);
  const phases: Record<string, number> = { total: totalNs };
  const stamps = readStamps(result.stderr);
  if (stamps !== undefined) {
    const run = Number(stamps.endNs - stamps.startNs);
    const start = Number(stamps.startNs - calledNs);
    const sameClock = start >= 0 && stamps.endNs <= answeredNs;
    if (sameClock) phases['start'] = start;
    phases['run'] = run;
    if (sameClock) phases['answer'] = totalNs - start - run;
  }
  if (teardownNs !== undefined) phases['teardown'] = teardownNs;
  return phases;
}

function toRows(
  target: Target,
  test: ComparisonCase,
  { warmUp, ...place }: CallPlace,
  ending: { readonly outcome: string; readonly reason?: string },
  phases: Readonly<Record<string, number>>,
): Row[] {
  const { outcome, reason } = ending;
  return Object.entries(phases).map(([phase, ns]) => ({
    ...place,
    target: target.name,
    function: test.function,
    input: test.input,
    phase,
    ns: Math.round(ns),
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(warmUp ? { warmUp: true as const } : {}),
  }));
}
