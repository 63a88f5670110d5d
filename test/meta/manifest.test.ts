import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CAPABILITIES, capabilityEntries } from '../../host/capabilities/capabilities.ts';
import { DEFAULT_LIMITS } from '../../host/limits.ts';
import { rowsOf } from './markdown.ts';

// Compiled to dist/test/meta.
const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'manifest.md'), 'utf8');

const BYTES = /^([\d,]+)(?: (KiB|MiB))?$/;
const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20 };

function toNumber(text: string): number {
  const [, digits = '', unit] = BYTES.exec(text) ?? [];
  return Number(digits.replaceAll(',', '')) * (unit === undefined ? 1 : (UNITS[unit] as number));
}

test('docs/manifest.md lists every limit with its default', () => {
  const rows = rowsOf(page).filter(([name = '']) => name in DEFAULT_LIMITS);
  assert.deepEqual(Object.fromEntries(rows.map(([name, value = '']) => [name, toNumber(value)])), DEFAULT_LIMITS);
});

test('docs/manifest.md has the table of capabilities, line by line', () => {
  const rows = rowsOf(page).filter(([name = '']) => name in CAPABILITIES);
  const expected = capabilityEntries().map(([name, { standard, grants }]) => {
    const isNothing = standard === undefined || JSON.stringify(standard).length === 2;
    return [name, isNothing ? 'none' : JSON.stringify(standard), grants.replaceAll('`', '')];
  });
  assert.deepEqual(rows, expected);
});
