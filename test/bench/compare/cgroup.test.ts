import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupLimitsOf } from '../../../bench/compare/cgroup.ts';

const files =
  (held: Readonly<Record<string, string>>) =>
  (path: string): string | null =>
    held[path] ?? null;

test('cgroupLimitsOf() reads version 2', () => {
  const read = files({ '/user/run/cpu.max': '150000 100000', '/user/run/memory.max': '1073741824' });
  assert.deepEqual(cgroupLimitsOf('0::/user/run', read), { cpus: 1.5, memoryBytes: 2 ** 30 });
  const unlimited = files({ '/a/cpu.max': 'max 100000', '/a/memory.max': 'max' });
  assert.deepEqual(cgroupLimitsOf('0::/a', unlimited), { cpus: null, memoryBytes: null });
});

test('cgroupLimitsOf() reads version 1, whose controllers have groups of their own', () => {
  const membership = '4:memory:/m\n1:cpu,cpuacct:/c\n0::/';
  const limited = files({
    'cpu/c/cpu.cfs_quota_us': '50000',
    'cpu/c/cpu.cfs_period_us': '100000',
    'memory/m/memory.limit_in_bytes': '536870912',
  });
  assert.deepEqual(cgroupLimitsOf(membership, limited), { cpus: 0.5, memoryBytes: 2 ** 29 });
  const unlimited = files({
    'cpu/c/cpu.cfs_quota_us': '-1',
    'cpu/c/cpu.cfs_period_us': '100000',
    'memory/m/memory.limit_in_bytes': '9223372036854771712',
  });
  assert.deepEqual(cgroupLimitsOf(membership, unlimited), { cpus: null, memoryBytes: null });
});

test('cgroupLimitsOf() knows nothing where nothing can be read', () => {
  assert.deepEqual(
    cgroupLimitsOf('', () => null),
    { cpus: null, memoryBytes: null },
  );
});
