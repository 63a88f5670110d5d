import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import { STRATEGIES } from '../../../host/definition/strategies.ts';
import { mountAll } from '../../../host/filesystem/mounts.ts';
import { initialise } from '../../../host/micro-vm/initialise.ts';
import { hasCow } from '../../../host/linux/memory.ts';
import { Preview1 } from '../../../host/preview1/preview1.ts';
import { decodeSnapshot, encodeSnapshot } from '../../../host/snapshot/codec.ts';
import { InstanceState } from '../../../host/snapshot/state.ts';
import { callOf, define, Deployed } from '../function.ts';
import { encodeCommands, MEMORY_PAGES, OPERATIONS, STATEFUL_GUEST, type Command } from './stateful-guest.ts';
import { repetitions } from '../../repetitions.ts';

const MEMORY_BYTES = MEMORY_PAGES * 65_536;

interface Whole {
  readonly sizeBytes: number;
  readonly memory: string;
  readonly globals: unknown;
  readonly tables: unknown;
}

function wholeOf(state: InstanceState): Whole {
  const { bytes } = state;
  const memory = createHash('sha1').update(bytes).digest('hex');
  return { sizeBytes: bytes.length, memory, globals: state.readGlobals(), tables: state.readTables() };
}

/** A new instance, initialised: what every restore must equal. */
function newlyInitialised(definition: FunctionDefinition): InstanceState {
  const { name, limits, capabilities, prepared } = definition;
  const host = new Preview1({ programName: name, limits, capabilities }, mountAll([], limits));
  const state = new InstanceState(prepared.compiled, new WebAssembly.Instance(prepared.compiled, host.imports));
  host.bind(state.memory, state.sized);
  host.begin(callOf());
  state.function('_initialize')();
  return state;
}

const guest = (given: object = {}): Promise<FunctionDefinition> =>
  define(STATEFUL_GUEST, {
    limits: { memoryBytes: MEMORY_BYTES + 5 * 65_536, openFiles: 12 },
    capabilities: { mounts: [{ guest: '/data', files: { file: 'contents of the file' }, access: 'read-write' }] },
    ...given,
  });

const address = fc.oneof(
  fc.constantFrom(0, 1, 4095, 4096, 65_535, 65_536, MEMORY_BYTES - 1, MEMORY_BYTES - 4096, 139_264),
  fc.nat({ max: MEMORY_BYTES - 1 }),
);

const command: fc.Arbitrary<Command> = fc.record({
  // Growing and dropping discard the micro-VM: seldom enough that most runs are put back in place.
  operation: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...OPERATIONS.filter((name) => !/grow|drop/.test(name))) },
    { weight: 1, arbitrary: fc.constantFrom(...OPERATIONS) },
  ),
  argument: address,
  value: fc.oneof(
    fc.constantFrom(0n, -1n, 0x7ff0_0000_0000_0001n, 0x7fa0_0001n),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
});

/** Writes to memory and globals, far apart. */
const placed: fc.Arbitrary<Command> = fc.record({
  operation: fc.constantFrom('store8' as const, 'memory-fill' as const, 'v128' as const, 'table-set' as const),
  argument: address,
  value: fc.constant(-1n),
});

for (const strategy of STRATEGIES) {
  const support = hasCow();
  const skip = strategy === 'cow' && !support.ok ? support.reason : false;
  test(`MicroVm.restore() is exact with ${strategy}, whatever a run changed`, { skip }, async () => {
    const definition = await guest({ strategy });
    const expected = wholeOf(newlyInitialised(definition));
    const deployed = new Deployed(definition);
    assert.equal(deployed.strategy, strategy);
    assert.deepEqual(wholeOf(deployed.vm.state), expected, 'before the first run');
    assert.equal(deployed.run().kind, 'ok');
    const shown = deployed.vm.stdout();
    assert.ok(shown.length > 60);
    deployed.settle();
    let restored = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const ending = deployed.run(encodeCommands(commands));
        assert.ok(['ok', 'trap'].includes(ending.kind), JSON.stringify(ending));
        if (deployed.settle()) restored++;
        assert.deepEqual(wholeOf(deployed.vm.state), expected);
        assert.deepEqual(deployed.run(), { kind: 'ok' });
        assert.deepEqual(deployed.vm.stdout(), shown, 'what the guest itself sees');
        deployed.settle();
        assert.deepEqual(wholeOf(deployed.vm.state), expected);
      }),
      { numRuns: repetitions(150) },
    );
    if (strategy === 'fresh') assert.equal(restored, 0);
    else assert.ok(restored > 0.4 * repetitions(150), `${restored} were put back in place`);
  });

  test(`MicroVm.restore() is exact with ${strategy} after runs that were not looked at`, { skip }, async () => {
    const definition = await guest({ strategy });
    const expected = wholeOf(newlyInitialised(definition));
    const deployed = new Deployed(definition);
    fc.assert(
      // Reading the memory here would make each of its pages hot, and none would ever be dropped.
      fc.property(fc.array(fc.array(placed, { maxLength: 3 }), { minLength: 5, maxLength: 20 }), (runs) => {
        deployed.vm = deployed.create();
        for (const commands of runs) {
          deployed.run(encodeCommands(commands));
          deployed.settle();
        }
        assert.deepEqual(wholeOf(deployed.vm.state), expected);
      }),
      { numRuns: repetitions(60) },
    );
  });

  test(`a snapshot makes a new instance equal the initialised one with ${strategy}, stored or not`, {
    skip,
  }, async () => {
    const definition = await guest({ strategy });
    const expected = wholeOf(newlyInitialised(definition));
    const deployed = new Deployed(definition);
    assert.deepEqual(wholeOf(deployed.create().state), expected);
    const stored = encodeSnapshot(initialise(definition).snapshot);
    assert.deepEqual(wholeOf(new Deployed(await guest({ strategy, snapshot: stored })).vm.state), expected);
    assert.deepEqual(encodeSnapshot(decodeSnapshot(stored)), stored);
  });
}

for (const [what, init, probe] of [
  [
    'memory that its initialisation grew',
    '(drop (memory.grow (i32.const 2))) (i32.store (i32.const 131072) (i32.const 5))',
    '(i32.or (i32.ne (memory.size) (i32.const 3)) (i32.ne (i32.load (i32.const 131072)) (i32.const 5)))',
  ],
  [
    'a table that its initialisation grew',
    '(drop (table.grow $t (ref.func $f) (i32.const 3)))',
    '(i32.or (i32.ne (table.size $t) (i32.const 5)) (i32.ne (call_indirect $t (result i32) (i32.const 4)) (i32.const 4)))',
  ],
  [
    'a table of which its initialisation emptied an element',
    '(table.set $t (i32.const 0) (ref.null func))',
    '(i32.eqz (ref.is_null (table.get $t (i32.const 0))))',
  ],
  ['segments that its initialisation dropped', '(data.drop $d) (elem.drop $e)', '(i32.const 0)'],
] as const) {
  test(`a new instance has the ${what}, call after call`, async () => {
    const definition = await define(
      `(module (memory (export "memory") 1) (table $t 2 funcref) (elem (i32.const 0) $f) (elem $e funcref (ref.func $f))
        (data $d "x") (func $f (result i32) (i32.const 4))
        (func (export "_initialize") ${init}) (func (export "handle") (result i32) ${probe}))`,
    );
    const deployed = new Deployed(definition);
    for (let call = 0; call < 3; call++) {
      assert.deepEqual(deployed.run(), { kind: 'ok' });
      assert.equal(deployed.settle(), true);
    }
    const expected = wholeOf(newlyInitialised(definition));
    assert.deepEqual(wholeOf(deployed.vm.state), expected);
  });
}

test('a segment that the initialisation dropped is dropped in a new instance', async () => {
  const deployed = new Deployed(
    await define(
      `(module (memory 1) (data $d "x") (func (export "_initialize") (data.drop $d))
        (func (export "handle") (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))))`,
    ),
  );
  for (let call = 0; call < 2; call++) {
    const ending = deployed.run();
    assert.equal(ending.kind === 'trap' && ending.reason, 'memory-out-of-bounds');
    deployed.settle();
  }
});
