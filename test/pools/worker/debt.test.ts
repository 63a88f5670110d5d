/** What is owed, and when it is paid off. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Debt } from '../../../pools/worker/debt.ts';

test('Debt is paid off as time goes by, at the share there is then', () => {
  let share = 1 / 4;
  const debt = new Debt(() => share);
  debt.add(100, 1000, Infinity);
  assert.deepEqual([debt.owedNs(1000), debt.waitNs(1000), debt.waitNs(1000, 60)], [100, 400, 160]);
  assert.equal(debt.owedNs(1200), 50);
  share = 1 / 2;
  assert.deepEqual([debt.waitNs(1200), debt.owedNs(1300), debt.waitNs(1300)], [100, 0, 0]);
  debt.add(10, 9000, Infinity);
  assert.equal(debt.owedNs(9000), 10, 'time without debt pays nothing in advance');
});

test('Debt takes no longer to pay off than the longest wait, beyond what is allowed', () => {
  const debt = new Debt(() => 1 / 2);
  debt.add(1000, 0, 200);
  assert.equal(debt.waitNs(0), 200);
  debt.add(1000, 0, 200, 50);
  assert.equal(debt.waitNs(0, 50), 200);
});
