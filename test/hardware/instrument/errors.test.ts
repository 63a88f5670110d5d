import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  HARDWARE_ERRORS,
  HardwareError,
  detailOf,
  type HardwareErrorName,
} from '../../../hardware/instrument/errors.ts';

test('HARDWARE_ERRORS and the table of hardware/README.md are the same', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../hardware/README.md'), 'utf8');
  const table = page.slice(page.indexOf('## Errors'));
  const rows = [...table.matchAll(/^\| `([A-Z_0-9]+)` *\| (.+?) +\| (.+?) +\|$/gm)].map(([, ...cells]) => cells);
  assert.deepEqual(
    rows,
    Object.entries(HARDWARE_ERRORS).map(([key, [message, remedy]]) => [key, message, remedy]),
  );
});

test('HardwareError names what, expected, got and what to do', () => {
  const error = new HardwareError('ARGUMENT', { what: 'pin', expected: 'a BCM number', got: -1 });
  assert.equal(error.code, 'ERR_NEBULA_HARDWARE_ARGUMENT');
  assert.equal(error.message, 'Cannot use pin: expected a BCM number, got -1. Correct the argument.');
  assert.equal(error.remedy, 'Correct the argument.');
  for (const key of Object.keys(HARDWARE_ERRORS)) {
    const [message, remedy] = HARDWARE_ERRORS[key as HardwareErrorName];
    assert.ok(message.startsWith('Cannot ') && remedy.endsWith('.'), key);
  }
});

test('detailOf() takes the message of whatever was thrown', () => {
  assert.equal(detailOf(new Error('an error')), 'an error');
  assert.equal(detailOf({ name: 'PortNotOpenError', message: 'Port Not Open' }), 'Port Not Open');
  assert.deepEqual(['words', null, undefined, 7].map(detailOf), ['words', 'null', 'undefined', '7']);
});
