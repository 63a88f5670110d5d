/** CPU time of a process by the kernel's own count. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuTimeNs } from '../../../bench/subjects/cpu-time.ts';

const SPUN_US = 40_000;

test('cpuTimeNs() counts what a process spends on a core, and is undefined for one that is not there', () => {
  const beforeNs = cpuTimeNs(process.pid) as number;
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < SPUN_US) continue;
  const afterNs = cpuTimeNs(process.pid) as number;
  assert.ok((afterNs - beforeNs) / 1e3 >= SPUN_US / 2, `${afterNs - beforeNs} ns`);
  // A number that no process has: the kernel's end at 2^22.
  assert.equal(cpuTimeNs(2 ** 22 + 1), undefined);
});
