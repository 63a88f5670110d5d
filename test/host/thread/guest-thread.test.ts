import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { AddressSpace } from '../../../host/linux/address-space.ts';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import { deployHere } from '../../../host/thread/deploy.ts';
import { GuestThread } from '../../../host/thread/guest-thread.ts';
import { MicroVm } from '../../../host/micro-vm/micro-vm.ts';
import { monotonicNs } from '../../../host/monotonic.ts';
import type { Invocation, Outcome } from '../../../host/outcome.ts';
import { define, defineGuest, type Given } from '../function.ts';

const NOOP = '(module (memory (export "memory") 1) (func (export "_start")))';
const CALL: Invocation = { input: new Uint8Array() };

class Bench {
  readonly space: AddressSpace;
  readonly thread: GuestThread;

  constructor(limit: number) {
    this.space = new AddressSpace(new SharedArrayBuffer(4), limit);
    this.thread = new GuestThread({ space: this.space });
  }

  async install(module: string, given: Given = {}): Promise<FunctionDefinition> {
    return this.take(await define(module, given));
  }

  take(definition: FunctionDefinition): FunctionDefinition {
    const { image, strategy } = deployHere(definition);
    this.thread.install(definition, image, strategy);
    return definition;
  }

  call({ id, limits }: FunctionDefinition, invocation: Invocation = CALL): Outcome {
    return this.thread.invoke(id, invocation, monotonicNs(), limits.timeoutMs);
  }
}

test('GuestThread.invoke() tells how it found its micro-VM: cold, restored, ready', async () => {
  const bench = new Bench(4);
  const noop = await bench.install(NOOP);
  assert.equal(bench.call(noop).start, 'cold');
  assert.equal(bench.call(noop).start, 'restored');
  bench.thread.settle(noop.id);
  assert.equal(bench.call(noop).start, 'restored');
  bench.thread.evict(1);
  bench.thread.makeReady(noop.id);
  assert.equal(bench.call(noop).start, 'ready');
});

test('GuestThread.settle() has another micro-VM ready in place of one that cannot be put back', async () => {
  const bench = new Bench(4);
  const trapping = await bench.install('(module (memory 1) (func (export "_start") unreachable))');
  for (let call = 0; call < 3; call++) {
    const outcome = bench.call(trapping);
    assert.equal(outcome.kind, 'trap');
    assert.equal(outcome.start, call === 0 ? 'cold' : 'ready');
    bench.thread.settle(trapping.id);
  }
});

const text = (outcome: Outcome): string => Buffer.from(outcome.stdout).toString();

test('GuestThread.invoke() gives the invocation’s arguments, variables and input, and its phases', async () => {
  const bench = new Bench(4);
  const given = { capabilities: { arguments: ['a'], environment: { A: '1' } } };
  const dump = bench.take(await defineGuest('guests/env-dump', given));
  const plain = text(bench.call(dump));
  const changed = text(bench.call(dump, { ...CALL, arguments: ['b', 'c'], environment: { B: '2' } }));
  assert.equal(plain, 'argument "env-dump"\nargument "a"\nvariable "A" "1"\n');
  assert.match(changed, /argument "b"\nargument "c"\n/);
  assert.match(changed, /variable "A" "1"\n/);
  assert.match(changed, /variable "B" "2"\n/);
  assert.equal(text(bench.call(dump)), plain, 'what one call was given is gone in the next');
  const { phases } = bench.call(dump);
  assert.ok(phases.run > 0 && phases.queue >= 0 && phases.compile === 0);
});

test('GuestThread.evict() drops the micro-VMs used least recently', async () => {
  const bench = new Bench(8);
  const [first, second, third] = [await bench.install(NOOP), await bench.install(NOOP), await bench.install(NOOP)];
  for (const definition of [first, second, third, first]) {
    bench.call(definition);
    bench.thread.settle(definition.id);
  }
  assert.equal(bench.thread.evict(1), 1);
  assert.equal(bench.call(first).start, 'restored');
  assert.equal(bench.call(third).start, 'restored');
  assert.equal(bench.call(second).start, 'cold', 'the second was used before the others');
  assert.equal(bench.thread.evict(99), 3);
  assert.equal(bench.thread.evict(99), 0);
});

test('GuestThread.invoke() is refused when the address space is full, and served after makeRoom()', async () => {
  const bench = new Bench(2);
  const functions = [
    await bench.install(NOOP),
    await bench.install(NOOP),
    await bench.install(NOOP, { name: 'third' }),
  ];
  bench.call(functions[0] as FunctionDefinition);
  bench.call(functions[1] as FunctionDefinition);
  assert.throws(() => bench.call(functions[2] as FunctionDefinition), {
    code: 'ERR_NEBULA_ADDRESS_SPACE',
    message: 'Cannot create a micro-VM for "third": 2 of 2 memories are in use',
  });
  await bench.thread.makeRoom();
  assert.equal(bench.call(functions[2] as FunctionDefinition).kind, 'ok');
  assert.ok(bench.space.live <= 2);
});

test('GuestThread serves many functions in turn within a limit of few memories', async () => {
  const bench = new Bench(4);
  const functions: FunctionDefinition[] = [];
  for (let made = 0; made < 30; made++) functions.push(await bench.install(NOOP));
  for (const definition of [...functions, ...functions]) {
    if (bench.space.live >= bench.space.limit) await bench.thread.makeRoom();
    assert.equal(bench.call(definition).kind, 'ok');
    assert.ok(bench.space.live <= 4);
  }
});

test('GuestThread counts a memory without pages, which may grow, like any other', async () => {
  const bench = new Bench(2);
  const empty = await bench.install(NOOP.replace('1)', '0 1)'));
  bench.call(empty);
  assert.equal(bench.space.live, 1);
  bench.thread.remove(empty.id);
  (globalThis as { gc?: () => void }).gc?.();
  await bench.space.reclaim();
  assert.ok(bench.space.live >= 0, `${bench.space.live} live`);
});

test('GuestThread counts no memory for a module that has none', async () => {
  const bench = new Bench(0);
  const bare = await bench.install('(module (func (export "_start")))');
  assert.equal(bench.call(bare).kind, 'ok');
  assert.equal(bench.space.live, 0);
});

test('GuestThread.remove() forgets the function', async () => {
  const bench = new Bench(2);
  const noop = await bench.install(NOOP);
  bench.call(noop);
  bench.thread.remove(noop.id);
  bench.thread.remove(noop.id);
  assert.equal(bench.thread.has(noop.id), false);
  bench.thread.settle(noop.id);
  bench.thread.makeReady(noop.id);
  bench.thread.close();
});

test('GuestThread.makeRoom() drops an eighth of its micro-VMs, those used least recently, and keeps the others', async () => {
  const bench = new Bench(32);
  const functions: FunctionDefinition[] = [];
  for (let made = 0; made < 17; made++) functions.push(await bench.install(NOOP));
  for (const definition of functions) {
    bench.call(definition);
    bench.thread.settle(definition.id);
  }
  await bench.thread.makeRoom();
  // From the last on, so that what is asked first is what must have been kept.
  const starts = functions.toReversed().map((definition) => bench.call(definition).start);
  assert.deepEqual(
    starts.slice(0, 14),
    Array.from({ length: 14 }, () => 'restored'),
  );
  assert.deepEqual(starts.slice(14), ['cold', 'cold', 'cold'], 'an eighth of 17, rounded up');
});

/** Has micro-VMs lie where `next` says, in the order in which they are made, and counts those that were given up. */
function misplace(context: TestContext, next: () => boolean): () => number {
  const places = new Map<MicroVm, boolean>();
  let closed = 0;
  context.mock.getter(MicroVm.prototype, 'isMisplaced', function (this: MicroVm): boolean {
    const isMisplaced = places.get(this) ?? next();
    places.set(this, isMisplaced);
    return isMisplaced;
  });
  context.mock.method(MicroVm.prototype, 'close', () => closed++);
  return () => closed;
}

test('GuestThread makes a misplaced micro-VM again a few times, until that was in vain too often', async (context) => {
  const bench = new Bench(32);
  const functions = [await bench.install(NOOP), await bench.install(NOOP), await bench.install(NOOP)];
  const closed = misplace(context, () => true);
  const counts = functions.map((definition) => {
    assert.equal(bench.call(definition).kind, 'ok');
    return closed();
  });
  assert.deepEqual(counts, [3, 6, 6]);
});

test('GuestThread goes on moving micro-VMs where a move was of use', async (context) => {
  const bench = new Bench(32);
  const functions = [await bench.install(NOOP), await bench.install(NOOP), await bench.install(NOOP)];
  const places = [true, true, true, true, true, true, true, false, true, true, true, true];
  const closed = misplace(context, () => places.shift() ?? true);
  const counts = functions.map((definition) => {
    assert.equal(bench.call(definition).kind, 'ok');
    return closed();
  });
  assert.deepEqual(counts, [3, 6, 9], 'the count of moves in vain begins anew');
});

test('GuestThread moves no micro-VM when the address space is full', async (context) => {
  const bench = new Bench(1);
  const noop = await bench.install(NOOP);
  const closed = misplace(context, () => true);
  assert.equal(bench.call(noop).kind, 'ok');
  assert.equal(closed(), 0);
});
