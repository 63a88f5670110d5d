import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import { initialise } from '../../../host/micro-vm/initialise.ts';
import { isNebulaError } from '../../../host/errors.ts';
import { Preview1 } from '../../../host/preview1/preview1.ts';
import type { GuestCall } from '../../../host/wasi/session/guest.ts';
import { trapOf } from '../../../host/trap.ts';
import { assemble } from '../../wat.ts';
import { callOf, define, defineGuest, Deployed, guestInputs, guestModule, guestPaths } from '../function.ts';
import { randomModule } from './random-module.ts';

/** Everything of a run that a caller could see, and the memory it left. */
interface Run {
  readonly ending: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly memory: string;
}

const digest = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

/** Runs the binary as its author built it, on the same host, memory's limit given by its own maximum only. */
function runOriginal(bytes: Uint8Array<ArrayBuffer>, definition: FunctionDefinition, call: GuestCall): Run {
  const { name, limits, capabilities, init, prepared, entry } = definition;
  const host = new Preview1({ programName: name, limits, capabilities }, []);
  host.begin({ ...call, input: new Uint8Array(), environment: init.environment });
  let ending = 'ok';
  let memory = new Uint8Array();
  try {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), host.imports);
    const exported = instance.exports as Record<string, () => number | undefined> & { memory?: WebAssembly.Memory };
    host.bind(exported.memory);
    for (const step of ['_initialize', init.export ?? '']) {
      if (prepared.info.kind === 'reactor') exported[step]?.();
    }
    host.begin(call);
    try {
      const code = exported[entry]?.();
      ending = code === undefined || code === 0 ? 'ok' : `exit ${code}`;
    } catch (thrown) {
      ending = describe(host.ending ?? trapOf(thrown), thrown);
    }
    memory = new Uint8Array(exported.memory?.buffer ?? new ArrayBuffer(0));
  } catch (thrown) {
    ending = `init ${trapOf(thrown)?.reason ?? String(thrown)}`;
  }
  return { ending, stdout: digest(host.stdout()), stderr: digest(host.stderr()), memory: digest(memory) };
}

function describe(ending: { kind: string; exitCode?: number; reason?: string } | undefined, thrown: unknown): string {
  if (ending === undefined) throw thrown;
  return [ending.kind, ending.exitCode ?? ending.reason ?? ''].join(' ').trim();
}

function runPrepared(deployed: Deployed, call: GuestCall): Run {
  const { vm } = deployed;
  const ending = describe(vm.run(call, 0), undefined);
  return { ending, stdout: digest(vm.stdout()), stderr: digest(vm.stderr()), memory: digest(vm.state.bytes) };
}

test('instrument() leaves a generated module’s behaviour as it was, run after run', async () => {
  let ran = 0;
  let trapped = 0;
  await fc.assert(
    fc.asyncProperty(randomModule, fc.constantFrom('copy' as const, 'cow' as const), async (wat, strategy) => {
      // The tables have maxima of their own here: what the budget of all of them refuses is growth.test.ts's.
      const bounded = wat.replace('8  funcref', '8 12 funcref').replace('2 externref', '2 12 externref');
      const bytes = await assemble(bounded);
      const definition = await define(bytes, { strategy, limits: { memoryBytes: 5 * 65_536, tableElements: 24 } });
      const capped = await assemble(bounded.replace('(export "memory") 1 )', '(export "memory") 1 5)'));
      const expected = runOriginal(capped, definition, callOf());
      let deployed: Deployed;
      try {
        deployed = new Deployed(definition);
      } catch (error) {
        assert.ok(isNebulaError(error) && error.key === 'INIT_FAILED', String(error));
        assert.match(expected.ending, /^init /);
        return;
      }
      for (let run = 0; run < 3; run++) {
        const seen = runPrepared(deployed, callOf());
        if (seen.ending.startsWith('limit')) assert.match(expected.ending, /^trap/);
        else assert.equal(seen.ending, expected.ending);
        assert.deepEqual({ ...seen, ending: '' }, { ...expected, ending: '' });
        deployed.settle();
      }
      ran++;
      if (expected.ending !== 'ok') trapped++;
    }),
    { numRuns: 150 },
  );
  assert.ok(ran > 100 && trapped > 10 && ran - trapped > 30, `${ran} ran, ${trapped} of them trapped`);
});

test('instrument() leaves every committed guest’s answers as they were, byte for byte', async () => {
  let compared = 0;
  for (const path of guestPaths()) {
    // Those that never end, show a clock or the depth of the stack, fail on purpose while initialising, or call bindings.
    if (/forever|sleep|clock-dump|stack-overflow|init-|spin|call-binding/.test(path)) continue;
    const definition = await defineGuest(path, { capabilities: { random: { kind: 'seeded', seed: 7 } } });
    const deployed = new Deployed(definition);
    const bytes = new Uint8Array(guestModule(path));
    for (const input of [...guestInputs(path), new Uint8Array(), Buffer.from('10\n')]) {
      const call = callOf(input);
      assert.deepEqual(runPrepared(deployed, call), runOriginal(bytes, definition, call), `${path} ${input.length}`);
      deployed.settle();
      compared++;
    }
  }
  assert.ok(compared > 100, `${compared} compared`);
});

for (const [what, wat] of [
  ['without a memory', '(module (func (export "_start")))'],
  [
    'with imported functions only',
    '(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32))) (export "handle" (func $y)))',
  ],
  [
    'whose table holds an imported function',
    `(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32))) (table $t 2 funcref)
      (elem (i32.const 0) $y) (func (export "_start") (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 1))
        (if (call_indirect $t (result i32) (i32.const 1)) (then unreachable)) (table.set $t (i32.const 0) (ref.null func))))`,
  ],
  [
    'with a global that holds an imported function',
    `(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32))) (global $g (mut funcref) (ref.func $y))
      (func (export "_start") (if (ref.is_null (global.get $g)) (then unreachable)) (global.set $g (ref.null func))))`,
  ],
  [
    'with immutable globals and a data segment placed by one of them',
    '(module (memory 1) (global $g i32 (i32.const 5)) (data (i32.const 5) "x") (func (export "_start")))',
  ],
  ['with no section but types and exports', '(module (type (func)) (func (export "_start")))'],
] as const) {
  test(`instrument() gives a valid module of one ${what}, which can be put back`, async () => {
    const deployed = new Deployed(await define(wat));
    for (let run = 0; run < 3; run++) {
      assert.deepEqual(deployed.run(), { kind: 'ok' });
      assert.equal(deployed.settle(), true);
    }
  });
}

test('instrument() keeps the names section, for the traps’ stacks, and no other custom section', async () => {
  const bytes = guestModule('fibonacci');
  const extra = Uint8Array.from([...bytes, 0, 4, 1, 0x78, 1, 2]);
  const { compiled } = (await define(extra)).prepared;
  assert.equal(WebAssembly.Module.customSections(compiled, 'x').length, 0);
});

test('initialise() captures the same state twice of the same module', async () => {
  await fc.assert(
    fc.asyncProperty(randomModule, async (wat) => {
      const definition = await define(wat, { limits: { memoryBytes: 5 * 65_536, tableElements: 12 } });
      const capture = (): unknown => {
        try {
          const { runs, ...rest } = initialise(definition).snapshot;
          return { ...rest, runs: runs.map(({ offset, bytes }) => [offset, digest(bytes)]) };
        } catch (error) {
          return String(error);
        }
      };
      assert.deepEqual(capture(), capture());
    }),
    { numRuns: 30 },
  );
});
