import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_PLAN, planOf, QUICK_PLAN } from '../../../bench/compare/plan.ts';

test('planOf() puts what is given in place of the base', () => {
  const plan = planOf(QUICK_PLAN, { blocks: 3, functions: ['add'] });
  assert.deepEqual(plan, { ...QUICK_PLAN, blocks: 3, functions: ['add'], only: {} });
});

test('planOf() keeps what the base restricts targets to, unless functions or targets are named', () => {
  assert.deepEqual(planOf(FULL_PLAN, { blocks: 3 }).only, FULL_PLAN.only);
  assert.deepEqual(planOf(FULL_PLAN, { functions: ['sort'] }).only, {});
  const only = { process: ['noop'] };
  assert.deepEqual(planOf(FULL_PLAN, { functions: ['sort'], only }).only, only);
});

for (const [what, given, message] of [
  ['an unknown field', { block: 3 }, /`block`/],
  ['no blocks', { blocks: 0 }, /`blocks` to 0 \(number\): must be a whole number of at least 1/],
  ['half a block', { blocks: 1.5 }, /`blocks`/],
  ['a text for a number', { seed: '1' }, /`seed` to "1" \(string\)/],
  ['an unknown target', { targets: ['docker'] }, /`targets` to "docker" .*container-cold/],
  ['a target twice', { targets: ['process', 'process'] }, /each once/],
  ['no function', { functions: [] }, /`functions`/],
  ['a function outside of its folder', { functions: ['../x'] }, /`functions`/],
  ['functions of a target that is none', { only: { docker: ['noop'] } }, /`only` to "docker"/],
  ['a target without functions', { only: { process: [] } }, /`only\.process`/],
  ['an input that is none', { inputs: ['Huge!'] }, /inputs.*a list of names/],
] as const) {
  test(`planOf() refuses ${what}`, () => {
    assert.throws(() => planOf(FULL_PLAN, given), { code: 'ERR_NEBULA_ARGUMENT', message });
  });
}
