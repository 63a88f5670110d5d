import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkBinary } from '../../../pools/native/elf.ts';
import { nativePath, skipWithoutNative } from '../../functions/native.ts';

const invalid = (got: RegExp): object => ({ code: 'ERR_NEBULA_BINARY_INVALID', message: got });

test('checkBinary() takes a static program, and refuses one that loads libraries where there are none', () => {
  // Node loads the C library, as most programs of a machine do.
  const node = readFileSync(process.execPath);
  checkBinary('node', node, false);
  assert.throws(() => checkBinary('node', node, true), invalid(/got one that loads shared libraries/));
});

test('checkBinary() takes what functions/build.sh makes', { skip: skipWithoutNative() }, () => {
  checkBinary('noop', readFileSync(nativePath('noop')), true);
});

test('checkBinary() refuses scripts, other machines, objects and what is cut off', () => {
  const node = readFileSync(process.execPath);
  const changed = (at: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(node.subarray(0, 4096));
    copy[at] = value;
    return copy;
  };
  assert.throws(() => checkBinary('f', Buffer.from('#!/bin/sh\n'.padEnd(100)), false), invalid(/no ELF file/));
  assert.throws(() => checkBinary('f', node.subarray(0, 63), false), invalid(/got 63 bytes/));
  assert.throws(() => checkBinary('f', node.subarray(0, 64), false), invalid(/cut off/));
  assert.throws(() => checkBinary('f', changed(4, 1), false), invalid(/32 bits/));
  assert.throws(() => checkBinary('f', changed(16, 1), false), invalid(/type 1/));
  assert.throws(() => checkBinary('f', changed(18, 99), false), invalid(/machine 99/));
});
