/**
 * What an energy run does around the turns of a comparison: idle guards between the blocks, and in each turn a batch of calls
 * back to back, marked as one window or, where calls are long enough, call by call.
 */

import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import type { Marker } from '../../hardware/marker/marker.ts';
import { detailOf } from '../../hardware/instrument/errors.ts';
import { seededRandom, type Random } from '../../statistics/random.ts';
import { sha256 } from '../compare/cases.ts';
import { CALL_PHASES, type CallPhase, type Row } from '../compare/rows.ts';
import { observeCall, type Companion, type Turn } from '../compare/runner.ts';
import type { CallResult } from '../compare/target.ts';
import { batchLengthS, type EnergyPlan } from './plan.ts';
import type { CallsWindow, WindowRecord } from './windows.ts';

/** Calls of a guest in this thread take no turn of the event loop: without a pause nothing else would run, Ctrl-C included. */
const YIELD_NS = 50_000_000n;

/** Share of a batch's length for which a cell is called before the first block, to learn how long a call takes. */
const CALIBRATION_SHARE = 0.2;

interface Pace {
  /** Length of a call back to back, in seconds. */
  readonly callS: number;
  /** Whether its calls are marked one by one. */
  readonly marksCalls: boolean;
}

/** A plan, the marker that marks it, and what ends it early. */
export interface SessionOptions {
  readonly plan: EnergyPlan;
  readonly marker: Marker;
  /** Ends guards and batches early. */
  readonly signal: AbortSignal;
  /** Time between new values of the source, in seconds; a tenth of a second where it is not known. */
  readonly refreshS?: number | undefined;
}

const UNKNOWN_REFRESH_S = 0.1;

/** Marks that failed: their windows have the host's times only. */
export interface FailedMarks {
  readonly count: number;
  readonly first: string | undefined;
}

const nowNs = (): bigint => process.hrtime.bigint();

/** Marks the turns of a plan: idle guards between the blocks, a batch in each turn. */
export class EnergySession implements Companion {
  readonly windows: WindowRecord[] = [];
  readonly #options: SessionOptions;
  /** Of each cell, from its warm-up. */
  readonly #paces = new Map<string, Pace>();
  /** The answer of each cell that was found right, so that further ones need no digest. */
  readonly #answers = new Map<string, Uint8Array>();
  readonly #random: Random;
  #turns = 0;
  #failedMarks = 0;
  #firstFailure: string | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#random = seededRandom(options.plan.seed);
  }

  get failedMarks(): FailedMarks {
    return { count: this.#failedMarks, first: this.#firstFailure };
  }

  async between(block: number): Promise<void> {
    const { plan } = this.#options;
    globalThis.gc?.();
    const startNs = nowNs();
    await this.#rest(plan.guardS);
    this.windows.push({ kind: 'guard', id: `guard-${block}`, block, startNs: `${startNs}`, endNs: `${nowNs()}` });
  }

  async after(turn: Turn): Promise<void> {
    const { plan, signal, refreshS = UNKNOWN_REFRESH_S } = this.#options;
    const cell = cellKey(turn);
    let pace = this.#paces.get(cell);
    if (pace === undefined) this.#paces.set(cell, (pace = await this.#calibrate(turn)));
    if (turn.block < 0) return;
    const batch = `b${turn.block}.${this.#turns++}`;
    // Where in a refresh of the source a batch begins is left to chance: else all of them could err alike.
    await this.#rest(plan.pauseS + this.#random() * refreshS);
    if (signal.aborted) return;
    const calls = Math.max(1, Math.round(batchLengthS(plan, turn.block) / pace.callS));
    if (pace.marksCalls) await this.#markCalls(turn, batch, calls);
    else await this.#markBatch(turn, batch, calls);
  }

  /**
   * How long a call takes back to back. Batches then have a number of calls that was set beforehand: were they ended by the
   * clock, a slow moment would mean few calls and not much energy, and the slope of energy against calls would be too flat.
   */
  async #calibrate(turn: Turn): Promise<Pace> {
    const { plan, signal } = this.#options;
    const startNs = nowNs();
    const untilNs = startNs + BigInt(Math.round(CALIBRATION_SHARE * plan.batchS * 1e9));
    let calls = 0;
    do {
      await this.#call(turn);
      calls++;
      if (calls % 16 === 0) await immediate();
    } while (nowNs() < untilNs && !signal.aborted);
    await turn.cell.target.settled?.();
    const callS = Number(nowNs() - startNs) / 1e9 / calls;
    return { callS, marksCalls: callS >= plan.callMarkS };
  }

  async #markCalls(turn: Turn, batch: string, calls: number): Promise<void> {
    for (let number = 0; number < calls && !this.#options.signal.aborted; number++) {
      const id = `${batch}.${number}`;
      const startNs = this.#mark('start', id);
      const observed = await observeCall(turn.cell);
      const endNs = this.#mark('end', id);
      const rows = turn.record(observed);
      this.windows.push({
        ...place(turn, { kind: 'call', id, batch, startNs, endNs }),
        calls: 1,
        failed: rows.every((row) => row.outcome === 'ok') ? 0 : 1,
        call: (rows[0] as Row).call,
        calledNs: `${observed.calledNs}`,
        phases: phasesIn(rows),
      });
    }
  }

  async #markBatch(turn: Turn, batch: string, count: number): Promise<void> {
    const { signal } = this.#options;
    let calls = 0;
    let failed = 0;
    const startNs = this.#mark('start', batch);
    let yieldedNs = startNs;
    while (calls < count && !signal.aborted) {
      if (!(await this.#call(turn))) failed++;
      calls++;
      const now = nowNs();
      if (now - yieldedNs > YIELD_NS) {
        await immediate();
        yieldedNs = now;
      }
    }
    // The last call's target is put back within the window, as those of all calls before it were.
    await turn.cell.target.settled?.();
    const endNs = this.#mark('end', batch, calls);
    this.windows.push({ ...place(turn, { kind: 'batch', id: batch, batch, startNs, endNs }), calls, failed });
  }

  /** One of many calls: it makes rows only where it did not end well. False then. */
  async #call(turn: Turn): Promise<boolean> {
    const { target, test } = turn.cell;
    const calledNs = nowNs();
    let result: CallResult | undefined;
    let error: unknown;
    try {
      result = await target.call(test);
    } catch (thrown) {
      error = thrown;
    }
    if (result?.outcome === 'ok' && this.#isRight(turn, result.stdout)) return true;
    turn.record({ calledNs, answeredNs: nowNs(), result, error, teardownNs: undefined });
    return false;
  }

  #isRight(turn: Turn, answer: Uint8Array): boolean {
    const cell = cellKey(turn);
    const known = this.#answers.get(cell);
    if (known !== undefined) return Buffer.compare(known, answer) === 0;
    if (sha256(answer) !== turn.cell.test.expectedSha256) return false;
    this.#answers.set(cell, answer.slice());
    return true;
  }

  #mark(kind: 'start' | 'end', id: string, calls = 1): bigint {
    const beforeNs = nowNs();
    try {
      if (kind === 'start') this.#options.marker.start(id);
      else this.#options.marker.end(id, calls);
    } catch (error) {
      this.#failedMarks++;
      this.#firstFailure ??= detailOf(error);
    }
    return kind === 'start' ? nowNs() : beforeNs;
  }

  async #rest(seconds: number): Promise<void> {
    const { signal } = this.#options;
    if (seconds > 0 && !signal.aborted) await sleep(seconds * 1e3, undefined, { signal }).catch(() => undefined);
  }
}

const cellKey = ({ cell: { target, test } }: Turn): string => `${target.name} ${test.function} ${test.input}`;

type Place = Omit<CallsWindow, 'calls' | 'failed' | 'call' | 'calledNs' | 'phases'>;

function place(
  turn: Turn,
  given: { kind: 'call' | 'batch'; id: string; batch: string; startNs: bigint; endNs: bigint },
): Place {
  const { block, cell } = turn;
  const { name } = cell.target;
  const { function: functionName, input } = cell.test;
  const times = { startNs: `${given.startNs}`, endNs: `${given.endNs}` };
  return { ...given, block, target: name, function: functionName, input, ...times };
}

function phasesIn(rows: readonly Row[]): Partial<Record<CallPhase, number>> {
  const phases: Partial<Record<CallPhase, number>> = {};
  for (const name of CALL_PHASES) {
    const row = rows.find((each) => each.phase === name && each.outcome === 'ok');
    if (row !== undefined) phases[name] = row.ns;
  }
  return phases;
}
