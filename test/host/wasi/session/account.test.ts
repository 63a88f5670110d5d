/** An account grants what a call may use, counts what it has used, and ends what may not go on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicNs } from '../../../../host/monotonic.ts';
import type { Ending } from '../../../../host/outcome.ts';
import { asWasmFunction } from '../../../../host/module/refill.ts';
import { Account, type Accountable, type CountingInstance } from '../../../../host/wasi/session/account.ts';
import { RUN } from '../../../../host/wasi/session/stop-cell.ts';
import { callTerms, initialTerms, type Terms } from '../../../../host/wasi/session/terms.ts';
import { assemble } from '../../../wat.ts';

/** Counts `cost` units for each of `steps` steps, as a rewritten module does. */
const COUNTING = `(module
  (type $grant (func (result i32)))
  (global $units (export "units") (mut i32) (i32.const 0))
  (table (export "refill") 1 funcref)
  (func (export "count") (param $steps i32) (param $cost i32)
    (loop $step
      (global.set $units (i32.sub (global.get $units) (local.get $cost)))
      (if (i32.lt_s (global.get $units) (i32.const 0)) (then (call $take)))
      (local.set $steps (i32.sub (local.get $steps) (i32.const 1)))
      (br_if $step (local.get $steps))))
  (func $take (local $granted i32)
    (local.set $granted (call_indirect (type $grant) (i32.const 0)))
    (if (i32.le_s (local.get $granted) (i32.const 0)) (then (unreachable)))
    (global.set $units (i32.add (global.get $units) (local.get $granted)))))`;

type Count = (steps: number, cost: number) => void;

const module = new WebAssembly.Module(await assemble(COUNTING));

interface Exports extends WebAssembly.Exports {
  readonly units: WebAssembly.Global<'i32'>;
  readonly refill: WebAssembly.Table;
  readonly count: Count;
}

function counting({ units, refill: table }: Exports): CountingInstance {
  return { units, askFor: (refill) => table.set(0, asWasmFunction(refill)) };
}

class Guest implements Accountable {
  isStopped = false;
  ending: Ending | undefined;

  stop(ending: Ending): void {
    this.isStopped = true;
    this.ending ??= ending;
  }
}

function open(limits: { readonly units?: number; readonly cpuMs?: number }, instances = 1) {
  const account = new Account({ units: 0, cpuMs: 0, ...limits });
  const counts = Array.from({ length: instances }, () => {
    const exports = new WebAssembly.Instance(module).exports as Exports;
    account.connect(counting(exports));
    return exports.count;
  });
  const run = (work: (count: readonly Count[]) => void, terms: Terms = forever()) => {
    const guest = new Guest();
    account.begin(guest, terms);
    try {
      work(counts);
    } catch (error) {
      assert.ok(error instanceof WebAssembly.RuntimeError);
    }
    account.end();
    return { ending: guest.ending, ...account.used };
  };
  return { account, run };
}

const forever = (): Terms => callTerms({ askedMs: 0, limitMs: 0 }, 0, monotonicNs());
const within = (timeoutMs: number): Terms =>
  callTerms({ askedMs: 0, limitMs: timeoutMs }, monotonicNs(), monotonicNs());

test('Account counts what each call has used, whatever it was granted', () => {
  const { run } = open({});
  for (const steps of [1, 65_536, 65_537, 3_000_000])
    assert.deepEqual(
      run(([count]) => count?.(steps, 7)),
      { ending: undefined, units: steps * 7 },
    );
});

test('Account ends a call right after its limit of units, and the next begins anew', () => {
  const { run } = open({ units: 1000 });
  for (const _ of [1, 2, 3]) {
    assert.deepEqual(
      run(([count]) => count?.(100, 10)),
      { ending: undefined, units: 1000 },
    );
    assert.deepEqual(
      run(([count]) => count?.(1_000_000, 10)),
      { ending: { kind: 'limit', limit: 'units', allowed: 1000 }, units: 1010 },
    );
    assert.deepEqual(
      run(([count]) => count?.(1, 1_000_000)),
      { ending: { kind: 'limit', limit: 'units', allowed: 1000 }, units: 1_000_000 },
    );
  }
});

test('Account lets all instances of a micro-VM use one limit of units', () => {
  const { run } = open({ units: 1000 }, 3);
  const enough = run((counts) => counts.forEach((count, at) => count([200, 300, 500][at] as number, 1)));
  assert.deepEqual(enough, { ending: undefined, units: 1000 });
  const tooMany = run((counts) => counts.forEach((count, at) => count([200, 300, 501][at] as number, 1)));
  assert.deepEqual(tooMany, { ending: { kind: 'limit', limit: 'units', allowed: 1000 }, units: 1001 });
  const inTurns = run((counts) => {
    for (let turn = 0; turn < 334; turn++) for (const count of counts) count(1, 1);
  });
  assert.equal(inTurns.units, 1001);
});

test('Account.charge() of any number of units is owed until the guest asks for more itself, and counts at once', () => {
  const { run, account } = open({ units: 2 ** 40 }, 2);
  const used = run((counts) => {
    for (let round = 0; round < 10; round++) assert.equal(account.charge(2 ** 30), true, 'the global holds it');
    for (const count of counts) count(100, 10);
  });
  assert.deepEqual(used, { ending: undefined, units: 10 * 2 ** 30 + 2000 });
  const { run: runFew, account: few } = open({ units: 1_000_000 }, 2);
  for (const _ of [1, 2]) {
    const tooMany = runFew(() => {
      assert.equal(few.charge(600_000), true);
      assert.equal(few.charge(400_000), true);
      assert.equal(few.charge(1), false, 'a limit holds though the guest asks for nothing');
      assert.equal(few.charge(1), false);
    });
    assert.deepEqual(tooMany.ending, { kind: 'limit', limit: 'units', allowed: 1_000_000 });
  }
  const late = run(
    () => assert.equal(account.charge(2 ** 20), false),
    callTerms({ askedMs: 0, limitMs: 1 }, monotonicNs() - 1e9, monotonicNs() - 1e9),
  );
  assert.deepEqual(late.ending?.kind, 'timeout');
});

test('Account lets an initialisation use more units than a call', () => {
  const { run } = open({ units: 1000 });
  assert.equal(run(([count]) => count?.(5000, 1), initialTerms(0, monotonicNs())).ending, undefined);
});

test('Account ends what runs on past its deadline', () => {
  const { run } = open({});
  const { ending, units } = run(([count]) => count?.(0, 1), within(20));
  assert.deepEqual(ending, { kind: 'timeout', timeoutMs: 20 });
  assert.ok(units > 0);
});

test('Account ends what has had its processor time, what it waits left out', () => {
  const { run, account } = open({ cpuMs: 30 });
  const waited = run(([count]) => {
    account.sleep(60);
    count?.(100_000, 1);
  });
  assert.equal(waited.ending, undefined);
  assert.ok((waited.cpuNs ?? Infinity) < 30e6, String(waited.cpuNs));
  const { ending, cpuNs = 0 } = run(([count]) => count?.(0, 1));
  assert.deepEqual(ending, { kind: 'limit', limit: 'cpuMs', allowed: 30 });
  assert.ok(cpuNs >= 30e6);
});

test('Account ends what another thread stops, at work and asleep', () => {
  const { run, account } = open({});
  const stop = { cells: new Int32Array(new SharedArrayBuffer(8)), index: 1, signal: new Int32Array(1) };
  const terms = (): Terms => callTerms({ askedMs: 70, limitMs: 60_000 }, monotonicNs(), monotonicNs(), stop);
  stop.cells[1] = RUN.aborted;
  assert.deepEqual(run(([count]) => count?.(0, 1), terms()).ending, { kind: 'aborted' });
  stop.cells[1] = RUN.late;
  assert.deepEqual(run(([count]) => count?.(0, 1), terms()).ending, { kind: 'timeout', timeoutMs: 70 });
  const startedMs = performance.now();
  run(() => account.sleep(60_000), terms());
  assert.ok(performance.now() - startedMs < 30_000);
});

test('Account refuses whatever was stopped, and code that runs outside of any call', () => {
  const { run, account } = open({});
  const stopped = run(([count]) => {
    assert.throws(() => {
      for (;;) count?.(0, 1);
    }, /unreachable/);
    for (const _ of [1, 2, 3]) assert.throws(() => count?.(1, 1), /unreachable/);
  }, within(5));
  assert.equal(stopped.ending?.kind, 'timeout');
  const exports = new WebAssembly.Instance(module).exports as Exports;
  account.connect(counting(exports));
  assert.throws(() => exports.count(1, 1), /unreachable/);
});

/** Milliseconds until a deadline, from a call 5 ms after the epoch that begins 10 ms after it, and which time it is. */
function named(askedMs: number, limitMs: number): readonly number[] {
  const { deadlineNs, timeoutMs } = callTerms({ askedMs, limitMs }, 5e6, 10e6);
  return [deadlineNs / 1e6, timeoutMs];
}

test('callTerms() holds the earlier of what the caller gave and the limit, and names it', () => {
  assert.deepEqual(named(0, 0), [Infinity, 0]);
  assert.deepEqual(named(0, 20), [30, 20]);
  assert.deepEqual(named(20, 0), [25, 20]);
  assert.deepEqual(named(20, 20), [25, 20]);
  assert.deepEqual(named(26, 20), [30, 20]);
  // Its caller's time was up before it began.
  assert.deepEqual(named(2, 20), [11, 2]);
});

test('Account.pause() and whoever stops the guest agree on who came first', () => {
  const { run, account } = open({});
  const stop = { cells: new Int32Array(new SharedArrayBuffer(8)), index: 1, signal: new Int32Array(1) };
  const terms = (): Terms => callTerms({ askedMs: 0, limitMs: 0 }, 0, monotonicNs(), stop);
  stop.cells[1] = RUN.underWay;
  const suspended = run(() => {
    assert.equal(account.pause(), true);
    assert.equal(stop.cells[1], RUN.suspended);
    // Another call has the cell.
    stop.cells[1] = RUN.aborted;
    account.resume();
    assert.equal(account.check(), undefined);
  }, terms());
  assert.equal(suspended.ending, undefined);
  for (const [said, kind] of [
    [RUN.late, 'timeout'],
    [RUN.aborted, 'aborted'],
  ] as const) {
    stop.cells[1] = said;
    const told = run(([count]) => {
      assert.equal(account.pause(), false, 'it is not to wait');
      stop.cells[1] = RUN.underWay;
      account.resume();
      count?.(0, 1);
    }, terms());
    assert.equal(told.ending?.kind, kind);
  }
  stop.cells[1] = RUN.underWay;
  assert.equal(run(() => assert.equal(account.check(), undefined), terms()).ending, undefined);
});
