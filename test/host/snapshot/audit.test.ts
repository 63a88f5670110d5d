import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNebulaError } from '../../../host/errors.ts';
import { define, Deployed, deploy } from '../function.ts';

const MODULE = `(module (memory (export "memory") 3) (table $t 2 funcref) (elem (i32.const 0) $f) (data (i32.const 8) "text")
  (global $i (mut i32) (i32.const 1)) (global $F (mut f64) (f64.const nan:0x4000000000001))
  (func $f (result i32) (i32.const 1)) (func (export "handle") (table.set $t (i32.const 1) (ref.func $f))
    (global.set $i (i32.const 9)) (i32.store (i32.const 100000) (i32.const 3)))
  (func (export "_initialize") (i32.store (i32.const 70000) (i32.const 5))))`;

const tampered: readonly (readonly [what: string, part: string, tamper: (deployed: Deployed) => void])[] = [
  ['the first byte', 'memory', ({ vm }) => vm.state.bytes.set([1], 0)],
  ['the last byte', 'memory', ({ vm }) => vm.state.bytes.set([1], 3 * 65_536 - 1)],
  ['a byte of a data segment', 'memory', ({ vm }) => vm.state.bytes.set([0], 8)],
  ['a global', 'globals', ({ vm }) => void vm.state.function('nebula:global1:set')(0x7ff8_0000_0000_0002n)],
];

for (const [what, part, tamper] of tampered) {
  test(`auditState() finds ${what} changed between two runs`, async () => {
    for (const strategy of ['copy', 'cow'] as const) {
      const deployed = await deploy(MODULE, { audit: true, strategy, name: 'audited' });
      for (let call = 0; call < 5; call++) {
        assert.deepEqual(deployed.run(), { kind: 'ok' });
        assert.equal(deployed.settle(), true);
      }
      tamper(deployed);
      assert.throws(
        () => deployed.run(),
        (error) => isNebulaError(error) && error.key === 'SNAPSHOT_DIVERGED' && error.fields['part'] === part,
      );
    }
  });
}

test('auditState() finds a state that was never put back, part by part', async () => {
  const deployed = await deploy(MODULE, { audit: true, name: 'audited' });
  deployed.run();
  assert.throws(() => deployed.run(), /Cannot run function "audited": its memory differs from the snapshot/);
  const table = await deploy(
    '(module (table $t 2 funcref) (elem (i32.const 0) $f) (func $f) (func (export "_start") (table.set $t (i32.const 0) (ref.null func))))',
    { audit: true },
  );
  table.run();
  assert.throws(() => table.run(), /its tables differs from the snapshot/);
});

test('auditState() finds bytes of the snapshot itself changed since the micro-VM was made', async () => {
  const definition = await define(MODULE, { audit: true, strategy: 'copy' });
  const deployed = new Deployed(definition);
  const [run] = deployed.deployment.image.runs ?? [];
  assert.deepEqual(deployed.run(), { kind: 'ok' });
  // A run shares its bytes with every thread: what one of them did to it shows in all.
  run?.bytes.set([0x55], 100);
  deployed.settle();
  assert.throws(() => deployed.run(), { code: 'ERR_NEBULA_SNAPSHOT_DIVERGED' });
});

test('a micro-VM without audit looks at nothing', async () => {
  const deployed = await deploy(MODULE, { strategy: 'copy' });
  deployed.vm.state.bytes.fill(1);
  assert.deepEqual(deployed.run(), { kind: 'ok' });
});
