import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRandom } from './random-budgets.ts';

test('random modules behave the same with a budget, and their units do not depend on how they are granted', async () => {
  const { compared, calls, trapped, units } = await compareRandom(200, 7);
  assert.ok(
    compared > 100 && calls > 100 && trapped > 20 && units > 10_000,
    JSON.stringify({ compared, calls, trapped, units }),
  );
});
