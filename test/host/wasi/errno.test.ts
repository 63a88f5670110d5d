import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO } from '../../../host/wasi/errno.ts';

test('ERRNO has the numbers of the specification', () => {
  assert.equal(Object.keys(ERRNO).length, 77);
  const known = {
    success: 0,
    '2big': 1,
    badf: 8,
    fault: 21,
    inval: 28,
    noent: 44,
    nosys: 52,
    rofs: 69,
    notcapable: 76,
  };
  assert.deepEqual(
    Object.values(ERRNO),
    Array.from({ length: 77 }, (_, errno) => errno),
  );
  for (const [name, errno] of Object.entries(known)) assert.equal(ERRNO[name as keyof typeof known], errno, name);
});
