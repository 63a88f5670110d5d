import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedFlags, FDFLAG, FSTFLAG, isFstflagsInvalid, isOflagsInvalid, OFLAG } from '../../../host/wasi/flags.ts';

test('isOflagsInvalid() refuses a directory that is made, made anew or emptied', () => {
  for (const flag of [OFLAG.creat, OFLAG.excl, OFLAG.trunc]) {
    assert.equal(isOflagsInvalid(flag), false);
    assert.equal(isOflagsInvalid(flag | OFLAG.directory), true);
  }
  assert.equal(isOflagsInvalid(OFLAG.directory), false);
  assert.equal(isOflagsInvalid(OFLAG.creat | OFLAG.excl | OFLAG.trunc), false);
});

test('isFstflagsInvalid() refuses a time and now at once, and bits that are none', () => {
  const { atim, atimNow, mtim, mtimNow } = FSTFLAG;
  const valid = [0, atim, atimNow, mtim, mtimNow, atim | mtim, atim | mtimNow, atimNow | mtim, atimNow | mtimNow];
  for (let flags = 0; flags < 64; flags++) assert.equal(isFstflagsInvalid(flags), !valid.includes(flags), `${flags}`);
});

test('changedFlags() leaves synchronisation as the open of the file asked for it', () => {
  assert.equal(changedFlags(0, FDFLAG.append | FDFLAG.nonblock), FDFLAG.append | FDFLAG.nonblock);
  for (const flag of [FDFLAG.dsync, FDFLAG.rsync, FDFLAG.sync]) {
    assert.equal(changedFlags(0, flag), undefined);
    assert.equal(changedFlags(flag, flag | FDFLAG.append), flag | FDFLAG.append);
    assert.equal(changedFlags(flag, 0), flag);
  }
  assert.equal(changedFlags(0, 32), undefined);
});
