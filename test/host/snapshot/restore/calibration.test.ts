import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionDefinition } from '../../../../host/definition/definition.ts';
import { STRATEGIES } from '../../../../host/definition/strategies.ts';
import { initialise } from '../../../../host/micro-vm/initialise.ts';
import { hasCow } from '../../../../host/linux/memory.ts';
import { MicroVm } from '../../../../host/micro-vm/micro-vm.ts';
import { calibrate } from '../../../../host/thread/deploy.ts';
import { writtenOffsets } from '../../../../host/snapshot/restore/calibration.ts';
import { createRestorer } from '../../../../host/snapshot/restore/restorers.ts';
import { exactStrategies } from '../../../../host/snapshot/strategy.ts';
import { closeImage, createImage, type SnapshotImage } from '../../../../host/snapshot/image.ts';
import { callOf, define, defineGuest, Deployed } from '../../function.ts';

const MODULE =
  '(module (memory (export "memory") 2) (func (export "_start") (i32.store (i32.const 70000) (i32.const 1))))';

/** The image as a kernel without memfd would have it. */
function withoutMemfd(definition: FunctionDefinition): SnapshotImage {
  const { runs, ...snapshot } = initialise(definition).snapshot;
  return { snapshot, runs, memfd: -1, memfdMissing: 'a kernel without memfd', memfdOffset: 0, hugeBytes: 0 };
}

test('calibrate() tries the strategies that are exact and takes the fastest', async () => {
  for (const path of ['noop', 'lookup']) {
    const definition = await defineGuest(path);
    const image = createImage(initialise(definition).snapshot);
    const { strategy, medianNs, reason } = calibrate(definition, image);
    const tried = exactStrategies(definition.prepared.info, image.memfd >= 0);
    closeImage(image);
    assert.deepEqual(Object.keys(medianNs).sort(), [...tried].sort());
    const fastest = Math.min(...tried.map((name) => medianNs[name] ?? 0));
    assert.ok(fastest > 0);
    // The lower quartile decides, so the median of the chosen one may be a little above another's.
    assert.ok((medianNs[strategy] ?? Infinity) <= 3 * fastest, JSON.stringify({ strategy, medianNs }));
    assert.match(reason, /the fastest in calibration/);
  }
});

test('calibrate() counts what fresh costs in full: never the choice for a large memory', async () => {
  const module =
    '(module (memory (export "memory") 800) (func (export "_initialize") (memory.fill (i32.const 0) (i32.const 1) (i32.const 52428800))) (func (export "handle")))';
  const definition = await define(module);
  const { strategy, medianNs } = calibrate(definition, withoutMemfd(definition));
  assert.equal(strategy, 'copy');
  assert.ok((medianNs.fresh ?? 0) > 1e6, `${medianNs.fresh} ns to fill 50 MiB`);
});

test('calibrate() takes the strategy that the manifest names', async () => {
  for (const strategy of hasCow().ok ? STRATEGIES : (['fresh', 'copy'] as const)) {
    const { deployment } = new Deployed(await define(MODULE, { strategy }));
    assert.equal(deployment.strategy, strategy);
    assert.equal(deployment.calibration.reason, 'named by the manifest');
  }
});

test('copy serves where there is no memfd, and the reason says so', async () => {
  const deployed = new Deployed(await define(MODULE));
  const image = withoutMemfd(deployed.definition);
  assert.equal(createRestorer(image, 'cow').strategy, 'copy');
  assert.match(calibrate(deployed.definition, image).reason, /no copy-on-write here: a kernel without memfd/);
  const wanted = calibrate({ ...deployed.definition, strategy: 'cow' }, image);
  assert.equal(wanted.strategy, 'copy');
  assert.match(wanted.reason, /the manifest names cow, which cannot be had: a kernel without memfd/);
  const vm = new MicroVm(deployed.definition, image, 'cow');
  for (let call = 0; call < 3; call++) {
    assert.equal(vm.state.bytes[70_000], 0);
    assert.deepEqual(vm.run(callOf(), 0), { kind: 'ok' });
    assert.equal(vm.restore(), true);
  }
});

test('calibrate() needs no trial for a module without a memory', async () => {
  const { deployment } = new Deployed(await define('(module (func (export "_start")))'));
  assert.equal(deployment.strategy, 'copy');
  assert.equal(deployment.calibration.reason, 'there is no memory to put back');
});

test('a memory that reaches no further than its image restores at each size, hot pages learnt or not', async () => {
  for (const pages of [1, 2, 16, 17]) {
    const last = pages * 65_536 - 4;
    const module = `(module (memory (export "memory") ${pages}) (data (i32.const ${last}) "last")
      (func (export "_start") (i32.store (i32.const 0) (i32.const -1)) (i32.store (i32.const ${last}) (i32.const -1))
        (i32.store (i32.const ${(pages * 65_536) / 2}) (i32.const -1))))`;
    for (const strategy of STRATEGIES) {
      const deployed = new Deployed(await define(module, { strategy }));
      const before = Buffer.from(deployed.vm.state.bytes);
      for (let call = 0; call < 70; call++) {
        assert.deepEqual(deployed.run(), { kind: 'ok' });
        deployed.settle();
        assert.ok(before.equals(deployed.vm.state.bytes), `${strategy}, call ${call}`);
      }
    }
  }
});

test('writtenOffsets() are two neighbouring pages of the machine in each of two places, all within the memory', () => {
  assert.deepEqual(writtenOffsets(65_536, 4096), [0, 4096, 32_768, 36_864]);
  assert.deepEqual(writtenOffsets(65_536, 16_384), [0, 16_384, 32_768, 49_152]);
  assert.deepEqual(writtenOffsets(65_536, 65_536), [0]);
  assert.deepEqual(writtenOffsets(3 * 65_536, 65_536), [0, 65_536, 131_072]);
  assert.deepEqual(writtenOffsets(10 * 65_536, 16_384), [0, 16_384, 327_680, 344_064]);
});
