import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createOwnerId, isGone, shortOwner } from '../../../pools/container/owner.ts';

/** An id of this process with one field changed: machine, boot, pid namespace, pid, start time, random part. */
function changed(field: number, value: string): string {
  const fields = createOwnerId().split('/');
  fields[field] = value;
  return fields.join('/');
}

test('isGone() is false for this process', () => {
  assert.equal(isGone(createOwnerId()), false);
});

test('isGone() is true for a process that has ended, and for one whose pid has another process now', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  assert.equal(isGone(changed(3, String(pid))), true);
  assert.equal(isGone(changed(4, '1')), true);
});

test('isGone() is true for a process of before the machine’s last start', () => {
  assert.equal(isGone(changed(1, 'another')), true);
});

test('isGone() leaves alone what it cannot see: other machines, other pid namespaces, other labels', () => {
  assert.equal(isGone(changed(0, 'another')), false);
  assert.equal(isGone(changed(2, 'pid:[1]')), false);
  for (const text of ['', 'someone', 'a/b/c']) assert.equal(isGone(text), false);
});

test('createOwnerId() differs each time, in its short part too', () => {
  const [one, two] = [createOwnerId(), createOwnerId()];
  assert.notEqual(shortOwner(one), shortOwner(two));
  assert.match(shortOwner(one), /^[0-9a-f]{12}$/);
});
