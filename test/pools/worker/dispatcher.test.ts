/** Which thread a call goes to, over threads that only keep what they are sent. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import type { NebulaError } from '../../../host/errors.ts';
import { DEFAULT_LIMITS } from '../../../host/limits.ts';
import { Call } from '../../../pools/worker/call.ts';
import { Dispatcher, type DispatcherOptions } from '../../../pools/worker/dispatcher.ts';
import { InvocationQueue } from '../../../pools/worker/queue.ts';
import type { Threads } from '../../../pools/worker/threads.ts';
import type { Sending } from '../../../pools/worker/outbox.ts';
import type { Unit } from '../../../pools/worker/unit.ts';
import { input } from '../fixture.ts';

/** What the dispatcher asks of a thread. */
class FakeUnit {
  readonly installed: Set<string>;
  inFlight: Call[] = [];
  readonly parked: Map<number, Call> = new Map();
  readonly sent: Sending[] = [];
  isStarted = true;
  isOccupied = false;
  isOpen = true;
  isAlive = true;
  backlogNs = 0;
  /** The one of `parked` that has the thread. */
  resumed: Call | undefined;
  readonly resumedForNs = (): number => 5;
  /** What those that are suspended have had of the thread. */
  readonly suspended = {
    heldNs: (call: Call): number => (call.definition.id === 'g' ? 8e6 : 1e6),
    cpuNs: -1n,
    isWaiting: false,
  };
  isHeld = false;
  inTurns = 0;
  readonly requests = { hasRoom: true };

  constructor(...installed: string[]) {
    this.installed = new Set(installed);
  }

  get isIdle(): boolean {
    return this.isAlive && !this.isOccupied && this.inFlight.length === 0 && !this.isHeld;
  }

  send(call: Call, what: Sending): void {
    this.inFlight.push(call);
    this.sent.push(what);
  }

  collectAll(): void {}

  hasBegun(): boolean {
    return true;
  }

  recorded(): undefined {}

  drop(call: Call): boolean {
    return call !== this.resumed;
  }

  hasEnded(): boolean {
    return false;
  }

  holds(call: Call): boolean {
    return this.inFlight.includes(call) || this.parked.get(call.ticket) === call;
  }

  answered(ticket: number): void {
    this.parked.delete(ticket);
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

function callOf(id: string, onError: (error: unknown) => void = () => undefined): Call {
  const definition = { ...definitionOf(id), prepared: { info: { hasBudget: false } } };
  return new Call(definition as unknown as FunctionDefinition, input(), () => undefined, onError);
}

/** A thread that holds a call of `f`, whose guest has gone on, beside one of `g`, whose guest has not. */
function unitWithParked(onError: (error: unknown) => void): [FakeUnit, Call] {
  const unit = new FakeUnit();
  const calls = ['f', 'g'].map((id) => callOf(id, onError));
  for (const [ticket, call] of calls.entries()) {
    Object.assign(call, { ticket, unit, isParked: true });
    unit.parked.set(ticket, call);
  }
  unit.resumed = calls[0];
  return [unit, calls[0] as Call];
}

function dispatcherOf(
  units: readonly FakeUnit[],
  limit = units.length,
  told: Partial<DispatcherOptions> = {},
): Dispatcher {
  return new Dispatcher({
    threads: { units: new Set(units), stop: () => undefined } as unknown as Threads<Call>,
    queue: new InvocationQueue(),
    limit,
    installationOf: () => undefined,
    mustWait: () => false,
    onDeadline: () => undefined,
    onEnded: () => undefined,
    onStopped: () => undefined,
    onCost: () => undefined,
    onThreadStopped: () => undefined,
    ...told,
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

test('Dispatcher.idleUnit() takes the thread with the fewest guests suspended, and no more threads than may run them', () => {
  const [two, one, unused] = [new FakeUnit(), new FakeUnit(), new FakeUnit('f')];
  for (const [at, unit] of [two, two, one].entries()) unit.parked.set(at, callOf('f'));
  assert.equal(dispatcherOf([two, one, unused], 2).idleUnit('f'), one);
  assert.equal(dispatcherOf([two, one, unused], 3).idleUnit('f'), unused);
  one.inFlight.push(callOf('f'));
  assert.equal(dispatcherOf([two, one, unused], 2).idleUnit('f'), two);
});

test('Dispatcher.place() sends a call whose caller and request have names as it sends one whose have not: in shared memory', () => {
  const unit = new FakeUnit('f');
  const named = { ...input(), caller: 'alice', requestId: 'order-7' };
  const call = new Call(
    definitionOf('f'),
    named,
    () => undefined,
    () => undefined,
  );
  dispatcherOf([unit]).place(call);
  assert.deepEqual(
    unit.sent.map(({ given }) => given),
    [undefined],
  );
  const arguments_ = new Call(
    definitionOf('f'),
    { ...named, arguments: ['a'] },
    () => undefined,
    () => undefined,
  );
  const other = new FakeUnit('f');
  dispatcherOf([other]).place(arguments_);
  assert.deepEqual(
    other.sent.map(({ given }) => given),
    [{ arguments: ['a'] }],
  );
});

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
  const calls = ['g', 'f'].map((id) => callOf(id));
  dispatcher.learn('g', 1);
  for (const call of calls) assert.equal(dispatcher.place(call), true);
  assert.deepEqual(behind.inFlight, calls);
  plain.isOccupied = false;
  has.isOccupied = false;
  assert.equal(dispatcher.steal(), true);
  assert.deepEqual([behind.inFlight, plain.inFlight, has.inFlight], [[calls[0]], [], [calls[1]]]);
  assert.equal(dispatcher.steal(), false, 'what runs stays');
});

test('Dispatcher charges a guest that was suspended and costs its thread for what it held it since', () => {
  const [errors, costs, stopped]: [unknown[], unknown[], unknown[]] = [[], [], []];
  const told = {
    onStopped: () => undefined,
    onCost: (call: Call, heldNs: number) => costs.push([call.definition.id, heldNs]),
    onThreadStopped: (_: Call, unit: unknown) => stopped.push(unit),
  };
  const [unit, spinning] = unitWithParked((error) => errors.push((error as NebulaError).key));
  dispatcherOf([unit], 1, told).endings.end(spinning, { kind: 'timeout', timeoutMs: 1 });
  assert.deepEqual([costs.splice(0), errors.splice(0), stopped], [[['f', 5]], ['WORKER_LOST'], [unit]]);
  const [crashed] = unitWithParked((error) => errors.push((error as NebulaError).key));
  // Sent after the guest went on, and not taken up.
  crashed.inFlight.push(callOf('innocent'));
  dispatcherOf([crashed], 1, told).endings.lost(crashed as unknown as Unit<Call>, new Error('gone'));
  assert.deepEqual([costs, errors, crashed.parked.size], [[['f', 5]], ['WORKER_LOST', 'WORKER_LOST'], 0]);
});

test('Dispatcher tells of a guest that was dropped as its time was up, if it had its thread for a slice by then', () => {
  const told: unknown[] = [];
  const onStopped = (call: Call, heldNs: number): void => void told.push([call.definition.id, heldNs]);
  const end = (id: string, kind: 'timeout' | 'aborted'): void => {
    const [unit] = unitWithParked(() => undefined);
    unit.resumed = undefined;
    const call = [...unit.parked.values()].find(({ definition }) => definition.id === id) as Call;
    dispatcherOf([unit], 1, { onStopped }).endings.end(call, kind === 'timeout' ? { kind, timeoutMs: 1 } : { kind });
    assert.equal(unit.parked.size, 1);
  };
  end('g', 'timeout');
  end('g', 'aborted');
  end('f', 'timeout');
  assert.deepEqual(told, [['g', 8e6]]);
});

test('Dispatcher sends nothing to a thread that a guest keeps since it went on, and what it was sent moves on by itself', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const [kept] = unitWithParked(() => undefined);
  const other = new FakeUnit();
  other.isOccupied = true;
  const told = { onDeadline: () => void dispatcher.steal() };
  const dispatcher = dispatcherOf([kept, other], 2, told);
  const call = callOf('h');
  assert.equal(dispatcher.place(call), true);
  assert.deepEqual([...dispatcher.runningIds()], ['f', undefined]);
  kept.isHeld = true;
  other.isOccupied = false;
  context.mock.timers.tick(10);
  assert.deepEqual([kept.inFlight, other.inFlight], [[], [call]]);
  assert.equal(dispatcher.idleUnit('h'), undefined);
  assert.equal(dispatcher.place(callOf('h')), false, 'nor behind it');
});

test('Dispatcher.watch() looks again as long as something waits beside guests that were suspended', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const [unit] = unitWithParked(() => undefined);
  let [mustWait, looks] = [false, 0];
  const dispatcher = dispatcherOf([unit], 1, { mustWait: () => mustWait, onDeadline: () => looks++ });
  const lookFor = (): number => {
    dispatcher.watch();
    context.mock.timers.tick(10);
    return looks;
  };
  assert.equal(lookFor(), 0);
  mustWait = true;
  assert.equal(lookFor(), 1);
  unit.parked.clear();
  assert.equal(lookFor(), 1);
  unit.inTurns = 1;
  assert.equal(lookFor(), 2, 'where a guest is still counted that takes turns, it may be the one that is there');
  unit.inTurns = 0;
  unit.requests.hasRoom = false;
  assert.equal(lookFor(), 3, 'a thread takes up what was taken back, and tells nothing');
});

test('Dispatcher.idleUnit() runs a function some of whose runs are long beside one guest that takes turns, whatever they take on average', () => {
  const unit = Object.assign(new FakeUnit('f'), { isShared: true, inTurns: 2, isHeld: true });
  const dispatcher = dispatcherOf([unit], 1);
  assert.equal(dispatcher.idleUnit('f'), unit);
  dispatcher.learn('f', 6e6);
  for (let run = 0; run < 255; run++) {
    assert.equal(dispatcher.idleUnit('f'), undefined, `${run} runs later`);
    dispatcher.learn('f', 1e3);
  }
  unit.inTurns = 1;
  assert.equal(dispatcher.idleUnit('f'), unit);
  unit.inTurns = 2;
  dispatcher.learn('f', 1e3);
  assert.equal(dispatcher.idleUnit('f'), unit, 'it has none any more');
});
