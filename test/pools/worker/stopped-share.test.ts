/** What functions that keep being stopped have of the threads together, by a clock that only counts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fairness } from '../../../pools/worker/fairness.ts';
import { InvocationQueue, type QueuedFunction } from '../../../pools/worker/queue.ts';
import { STOPPED_SHARE } from '../../../pools/worker/stopped-share.ts';

const MS = 1e6;

/** Functions of one kind: how many, how many callers call each all the time, and how long a call has its thread. */
interface Kind {
  readonly functions: number;
  readonly callers: number;
  readonly runNs: number;
  readonly isStopped: boolean;
  /** When its callers go; never when left out. */
  readonly untilNs?: number;
}

const loopers = (functions: number, runNs: number = 5 * MS): Kind => ({
  functions,
  callers: 1,
  runNs,
  isStopped: true,
});
const neighbour = (callers: number, runNs: number = 0.5 * MS): Kind => ({
  functions: 1,
  callers,
  runNs,
  isStopped: false,
});

interface Waiting {
  readonly definition: QueuedFunction;
  readonly kind: Kind;
  readonly calledNs: number;
}

/** Threads that run what the queue gives them, as the pool does, for as long as it takes by the clock. */
class Simulation {
  nowNs = 1e9;
  /** When the call of each thread ends. */
  readonly #threads: ({ readonly endNs: number; readonly call: Waiting } | undefined)[];
  readonly #fairness: Fairness;
  readonly #queue: InvocationQueue<Waiting>;
  /** Time of threads that each function has had. */
  readonly usedNs: Map<string, number> = new Map();

  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => undefined);
    const fairness = new Fairness({
      limit: threads,
      threads: () => threads + 1,
      running: () => this.#threads.map((thread) => thread?.call.definition.id),
      someWaiting: (wanted) => this.#queue.someWaiting(wanted),
      changes: () => this.#queue.changes,
      nowNs: () => this.nowNs,
    });
    this.#fairness = fairness;
    this.#queue = new InvocationQueue((id, inFlight) => fairness.mayRun(id, inFlight, this.nowNs), fairness);
  }

  begin(kinds: readonly Kind[]): void {
    const calls: (readonly [QueuedFunction, Kind])[] = [];
    for (const [at, kind] of kinds.entries()) {
      for (let number = 0; number < kind.functions; number++) {
        const id = `${at}.${number}`;
        const definition = { id, name: id, limits: { queueLength: 1000, concurrency: kind.callers } };
        this.usedNs.set(id, 0);
        this.#fairness.add(id);
        // As if each had been called once.
        if (kind.isStopped) this.#fairness.stopped(definition, kind.runNs);
        else this.#fairness.answered(definition, this.nowNs, kind.runNs, kind.runNs);
        for (let caller = 0; caller < kind.callers; caller++) calls.push([definition, kind]);
      }
    }
    for (const [definition, kind] of calls) this.#call(definition, kind);
  }

  #call(definition: QueuedFunction, kind: Kind): void {
    if (kind.untilNs !== undefined && this.nowNs >= kind.untilNs) return;
    this.#fairness.called(definition.id, this.nowNs);
    this.#queue.push({ definition, kind, calledNs: this.nowNs });
  }

  /** Lets so much time pass. */
  run(forNs: number): void {
    const untilNs = this.nowNs + forNs;
    while (this.nowNs < untilNs) {
      this.#place();
      const endsNs = this.#threads.map((thread) => thread?.endNs ?? Infinity);
      const lookNs = this.nowNs + Math.max(1, this.#fairness.waitNs(this.nowNs));
      this.nowNs = Math.min(untilNs, lookNs, ...endsNs);
      for (const [at, thread] of this.#threads.entries()) if (thread !== undefined) this.#end(at, thread.call);
    }
  }

  #place(): void {
    for (const [at, thread] of this.#threads.entries()) {
      if (thread !== undefined) continue;
      const call = this.#queue.shift();
      if (call === undefined) return;
      this.#queue.started(call.definition);
      this.#threads[at] = { endNs: this.nowNs + call.kind.runNs, call };
    }
  }

  #end(at: number, { definition, kind, calledNs }: Waiting): void {
    if ((this.#threads[at]?.endNs ?? Infinity) > this.nowNs) return;
    const { id } = definition;
    this.#threads[at] = undefined;
    this.#queue.ended(definition, false, kind.runNs);
    if (kind.isStopped) this.#fairness.stopped(definition, kind.runNs);
    else this.#fairness.answered(definition, calledNs, kind.runNs, kind.runNs);
    this.usedNs.set(id, (this.usedNs.get(id) ?? 0) + kind.runNs);
    this.#call(definition, kind);
  }
}

/** Shares of the time of all threads that functions of each kind had, after what they had at first. */
function sharesOf(threads: number, kinds: readonly Kind[], forNs: number): { shares: number[]; each: number[][] } {
  const simulation = new Simulation(threads);
  simulation.begin(kinds);
  simulation.run(forNs);
  const each = kinds.map((kind, at) =>
    Array.from({ length: kind.functions }, (_, number) => simulation.usedNs.get(`${at}.${number}`) ?? 0),
  );
  const shares = each.map((used) => used.reduce((sum, ns) => sum + ns, 0) / (threads * forNs));
  return { shares, each };
}

const THREADS = [1, 2, 3, 4, 8];
const LOOPERS = [1, 20, 200];

test('Fairness gives functions that keep being stopped a share together, however many they are and how long they run', () => {
  for (const threads of THREADS) {
    for (const count of LOOPERS) {
      for (const runMs of [5, 50]) {
        const forNs = 400 * runMs * MS;
        const kinds = [neighbour(4 * threads), loopers(count, runMs * MS)];
        const [near = 0, stopped = 0] = sharesOf(threads, kinds, forNs).shares;
        const what = `${threads} threads, ${count} loopers of ${runMs} ms: ${near.toFixed(3)} and ${stopped.toFixed(3)}`;
        assert.ok(near >= 1 - STOPPED_SHARE, what);
        // They run at once, on half of the threads at most, and then wait until that is paid off.
        const atOnce = Math.min(count, Math.max(1, threads >> 1));
        const expected = atOnce / (threads + atOnce / STOPPED_SHARE);
        assert.ok(Math.abs(stopped - expected) < 0.1 * expected, `${what}, where ${expected.toFixed(3)} was expected`);
      }
    }
  }
});

test('Fairness gives functions that keep being stopped equal turns of their share', () => {
  for (const threads of THREADS) {
    const turns = sharesOf(threads, [neighbour(4 * threads), loopers(20)], 4_000 * MS).each[1] ?? [];
    assert.ok(Math.min(...turns) > 0, 'none starves');
    assert.ok(Math.max(...turns) - Math.min(...turns) <= 2 * 5 * MS, turns.join(' '));
  }
});

test('Fairness gives functions that keep being stopped all threads where nobody else calls', () => {
  for (const threads of THREADS) {
    for (const count of [20, 200]) {
      const [stopped = 0] = sharesOf(threads, [loopers(count)], 2_000 * MS).shares;
      assert.ok(stopped > 0.95, `${threads} threads, ${count} loopers: ${stopped.toFixed(3)}`);
    }
  }
});

test('Fairness gives them all threads again soon after the others have stopped calling', () => {
  for (const threads of THREADS) {
    const simulation = new Simulation(threads);
    simulation.begin([loopers(20), { ...neighbour(4 * threads), untilNs: simulation.nowNs + 1_000 * MS }]);
    const stoppedNs = (): number =>
      [...simulation.usedNs].reduce((sum, [id, ns]) => sum + (id.startsWith('0.') ? ns : 0), 0);
    simulation.run(1_150 * MS);
    const beforeNs = stoppedNs();
    simulation.run(500 * MS);
    const share = (stoppedNs() - beforeNs) / (threads * 500 * MS);
    assert.ok(share > 0.95, `${threads} threads: ${share.toFixed(3)}`);
  }
});

test('Fairness does not make a slow function wait for those that keep being stopped beyond their share', () => {
  for (const threads of THREADS) {
    const slow = neighbour(4 * threads, 20 * MS);
    const [near = 0] = sharesOf(threads, [slow, loopers(20)], 8_000 * MS).shares;
    assert.ok(near >= 1 - STOPPED_SHARE, `${threads} threads: ${near.toFixed(3)}`);
  }
});
