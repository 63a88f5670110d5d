import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadCases, sha256, type ComparisonCase } from '../../../bench/compare/cases.ts';
import { FULL_PLAN, planOf, type TargetName } from '../../../bench/compare/plan.ts';
import { cellsOf } from '../../../bench/compare/cells.ts';
import { phasesOf } from '../../../bench/compare/runner.ts';
import { openTargets, type OpenedTargets } from '../../../bench/compare/targets/registry.ts';
import { skipWithoutNative } from '../../functions/native.ts';
import { skipWithoutDocker } from '../../pools/container/docker.ts';

const WASM: readonly TargetName[] = ['wasm-restored', 'wasm-fresh', 'wasm-in-thread', 'node-wasi'];
const CONTAINERS: readonly TargetName[] = ['container-warm', 'container-cold', 'container-cold-host', 'docker-run'];

async function opened(names: readonly TargetName[], cases: readonly ComparisonCase[]): Promise<OpenedTargets> {
  const plan = planOf(FULL_PLAN, { targets: names, functions: ['noop', 'sha256'] });
  const targets = await openTargets(plan, cases);
  assert.deepEqual(targets.missing, []);
  return targets;
}

for (const [what, names, skip] of [
  ['WebAssembly', WASM, false],
  ['a process', ['process'], skipWithoutNative()],
  ['containers', CONTAINERS, await skipWithoutDocker()],
] as const) {
  describe(`targets in ${what}`, { skip }, () => {
    let cases: readonly ComparisonCase[];
    let targets: OpenedTargets;
    before(async () => {
      cases = await loadCases(['noop', 'sha256'], ['small', 'medium']);
      targets = await opened(names, cases);
    });
    after(() => targets.close());

    test('answer every case as expected, with stamps within each call', async () => {
      for (const { target, test: given } of cellsOf(targets.targets, cases)) {
        const calledNs = process.hrtime.bigint();
        const result = await target.call(given);
        const answeredNs = process.hrtime.bigint();
        const settledNs = await target.settled?.();
        const place = `${target.name} ${given.function} ${given.input}`;
        assert.equal(result.outcome, 'ok', place);
        assert.equal(sha256(result.stdout), given.expectedSha256, place);
        const { total, start, run, answer, teardown = settledNs } = phasesOf(result, calledNs, answeredNs);
        assert.ok(start !== undefined && run !== undefined && answer !== undefined && total !== undefined, place);
        assert.ok(start > 0 && run >= 0 && answer > 0, place);
        assert.equal(total, start + run + answer, place);
        // Every target has it; a kept container puts nothing back, and the command docker has waited for the removal.
        const hasNone = target.name === 'container-warm' || target.name === 'docker-run';
        assert.equal(teardown === 0, hasNone, `${place}: teardown of ${teardown} ns`);
        assert.ok(teardown !== undefined && teardown >= 0, place);
      }
    });

    test('say what was deployed', () => {
      for (const target of targets.targets) {
        assert.deepEqual(
          target.deployed.map((each) => each.function),
          ['noop', 'sha256'],
        );
        for (const { digest, sizeBytes, imageId } of target.deployed) {
          assert.match(digest, /^[0-9a-f]{64}$/);
          if (/^(container|docker)/.test(target.name)) assert.match(imageId ?? '', /^sha256:[0-9a-f]{64}$/);
          assert.ok(sizeBytes > 10_000);
        }
      }
    });
  });
}

test('loadCases() refuses a function without cases, and one without the inputs asked for', async () => {
  await assert.rejects(loadCases(['no-such-function'], ['small']), /Cannot compare function "no-such-function"/);
  await assert.rejects(loadCases(['noop'], ['large']), /no case named large/);
  await assert.rejects(loadCases(['noop', 'sha256'], ['small', 'larg']), /none of the functions has a case named larg/);
  // A function need not have every size.
  assert.equal((await loadCases(['noop'], ['small', 'medium', 'large'])).length, 1);
});

test('openTargets() tells what is not to be had, and opens the rest', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '';
  try {
    const cases = await loadCases(['noop'], ['small']);
    const plan = planOf(FULL_PLAN, { targets: ['wasmtime', 'wasm-in-thread'], functions: ['noop'] });
    const opening = await openTargets(plan, cases);
    await opening.close();
    const { targets, missing } = opening;
    assert.deepEqual(
      targets.map((target) => target.name),
      ['wasm-in-thread'],
    );
    assert.equal(missing[0]?.target, 'wasmtime');
    assert.match(missing[0]?.reason ?? '', /no wasmtime command on the PATH/);
  } finally {
    process.env['PATH'] = path;
  }
});
