import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzNames } from './name-fuzz.ts';
import { TEMPLATES } from './name-templates.ts';

const COUNT = 250;

test('transpile() has every component either work or refused, whatever its names are, and none of them runs', async () => {
  const { outcomes, worksByPlace, faults } = await fuzzNames(COUNT, 20_261_129);
  assert.deepEqual(faults, []);
  const total = Object.values(outcomes).reduce((sum, each) => sum + each, 0);
  assert.equal(total, COUNT);
  // A core module may have any name, and works with it.
  const perPlace = COUNT / Object.keys(TEMPLATES).length;
  for (const place of Object.keys(TEMPLATES).filter((each) => /^core|section|nested/.test(each))) {
    assert.equal(worksByPlace[place], perPlace, place);
  }
});
