/** Which thread a call goes to, over threads that only keep what they are sent. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import { DEFAULT_LIMITS } from '../../../host/limits.ts';
import { Call } from '../../../pools/worker/call.ts';
import { Dispatcher } from '../../../pools/worker/dispatcher.ts';
import { InvocationQueue } from '../../../pools/worker/queue.ts';
import type { Threads } from '../../../pools/worker/threads.ts';
import type { Sending } from '../../../pools/worker/unit.ts';
import { input } from '../fixture.ts';

/** What the dispatcher asks of a thread. */
class FakeUnit {
  readonly installed: Set<string>;
  inFlight: Call[] = [];
  readonly sent: Sending[] = [];
  isStarted = true;
  isOccupied = false;
  isOpen = true;
  isAlive = true;
  backlogNs = 0;

  constructor(...installed: string[]) {
    this.installed = new Set(installed);
  }

  get isIdle(): boolean {
    return this.isAlive && !this.isOccupied && this.inFlight.length === 0;
  }

  send(call: Call, what: Sending): void {
    this.inFlight.push(call);
    this.sent.push(what);
  }

  takeBack(call: Call): boolean {
    const at = this.inFlight.indexOf(call);
    if (at >= 0) this.inFlight.splice(at, 1);
    return at >= 0;
  }
}

function definitionOf(id: string): FunctionDefinition {
  return { id, name: id, limits: { ...DEFAULT_LIMITS, timeoutMs: 0 } } as unknown as FunctionDefinition;
}

function callOf(id: string): Call {
  return new Call(
    definitionOf(id),
    input(),
    () => undefined,
    () => undefined,
  );
}

function dispatcherOf(units: readonly FakeUnit[], limit = units.length): Dispatcher {
  return new Dispatcher({
    threads: { units: new Set(units) } as unknown as Threads<Call>,
    queue: new InvocationQueue(),
    limit,
    installationOf: () => undefined,
    onDeadline: () => undefined,
    onEnded: () => undefined,
    onCost: () => undefined,
  });
}

/** Sends calls of a function that takes next to nothing, so that others may wait behind them. */
function busy(dispatcher: Dispatcher, unit: FakeUnit, count: number): void {
  for (let sent = 0; sent < count; sent++) unit.inFlight.push(callOf('quick'));
  dispatcher.learn('quick', 1);
}

const idleOf = (dispatcher: Dispatcher, id: string): FakeUnit | undefined =>
  dispatcher.idleUnit(id) as unknown as FakeUnit | undefined;

test('Dispatcher.idleUnit() takes a thread that has the function before one that has not, wherever it stands', () => {
  const [plain, first, second, last] = [new FakeUnit('g'), new FakeUnit('f'), new FakeUnit('f', 'g'), new FakeUnit()];
  assert.equal(idleOf(dispatcherOf([plain, first, second, last]), 'f'), first);
  assert.equal(idleOf(dispatcherOf([first, plain, second, last]), 'f'), first);
  assert.equal(idleOf(dispatcherOf([second, first, last, plain]), 'f'), second, 'the first of those that have it');
  assert.equal(idleOf(dispatcherOf([plain, last]), 'f'), plain, 'the first where none has it');
  assert.equal(idleOf(dispatcherOf([last, plain]), 'f'), last);
});

test('Dispatcher.idleUnit() passes over threads that are busy or still start, and takes no more than may run', () => {
  const [busyOne, starting, idle] = [new FakeUnit('f'), new FakeUnit('f'), new FakeUnit()];
  busyOne.inFlight.push(callOf('f'));
  starting.isStarted = false;
  assert.equal(idleOf(dispatcherOf([busyOne, starting, idle], 2), 'f'), idle);
  assert.equal(idleOf(dispatcherOf([busyOne, starting, idle], 1), 'f'), undefined);
  assert.equal(idleOf(dispatcherOf([starting, idle], 1), 'f'), idle, 'one that starts runs nothing');
});

/** Where a call of `f` goes among threads that have so many calls and the function named: their place, or -1. */
function placeOf(...threads: readonly (readonly [calls: number, installed: string])[]): number {
  const units = threads.map(([, installed]) => new FakeUnit(installed));
  const dispatcher = dispatcherOf(units);
  threads.forEach(([calls], at) => busy(dispatcher, units[at] as FakeUnit, calls));
  const call = callOf('f');
  dispatcher.place(call);
  return units.findIndex(({ inFlight }) => inFlight.includes(call));
}

test('Dispatcher.place() sends behind the thread with the fewest calls, and of equals behind one that has the function', () => {
  assert.equal(placeOf([2, 'f'], [1, 'g']), 1, 'the load counts before the function');
  assert.equal(placeOf([1, 'g'], [2, 'f']), 0);
  assert.equal(placeOf([1, 'g'], [1, 'f']), 1);
  assert.equal(placeOf([1, 'f'], [1, 'g']), 0);
  assert.equal(placeOf([1, 'f'], [1, 'f']), 0, 'the first of those that have it');
  assert.equal(placeOf([1, 'g'], [1, 'g']), 0, 'the first where none has it');
  assert.equal(placeOf([1, 'g'], [1, 'f'], [0, 'g']), 2, 'one that is idle goes before all');
});

test('Dispatcher.place() sends nothing behind what takes long, nor to a thread that is full or starts', () => {
  const unit = new FakeUnit('f');
  const dispatcher = dispatcherOf([unit]);
  busy(dispatcher, unit, 1);
  unit.backlogNs = 1e6;
  assert.equal(dispatcher.place(callOf('f')), true, 'a round trip may be waited for');
  assert.ok(unit.backlogNs > 1e6, 'what never answered is expected to take long');
  assert.equal(dispatcher.place(callOf('f')), false);
  unit.backlogNs = 0;
  unit.isOpen = false;
  assert.equal(dispatcher.place(callOf('f')), false);
});

test('Dispatcher.steal() has an idle thread take the last call of a busy one, and the thread that has its function before others', () => {
  const [behind, plain, has] = [new FakeUnit('f'), new FakeUnit(), new FakeUnit('f')];
  const dispatcher = dispatcherOf([behind, plain, has]);
  plain.isOccupied = true;
  has.isOccupied = true;
  const calls = ['g', 'f'].map(callOf);
  dispatcher.learn('g', 1);
  for (const call of calls) assert.equal(dispatcher.place(call), true);
  assert.deepEqual(behind.inFlight, calls);
  plain.isOccupied = false;
  has.isOccupied = false;
  assert.equal(dispatcher.steal(), true);
  assert.deepEqual([behind.inFlight, plain.inFlight, has.inFlight], [[calls[0]], [], [calls[1]]]);
  assert.equal(dispatcher.steal(), false, 'what runs stays');
});
