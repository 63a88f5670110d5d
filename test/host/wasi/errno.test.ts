import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO, errnoName } from '../../../host/wasi/errno.ts';

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
  for (const [name, errno] of Object.entries(known)) assert.equal(ERRNO[name as keyof typeof known], errno, name);
});

test('errnoName() names each number, and tells one that is none as it is', () => {
  for (const [name, errno] of Object.entries(ERRNO)) assert.equal(errnoName(errno), name);
  assert.equal(errnoName(77), 'errno 77');
});
