import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS } from '../../host/errors.ts';

// Compiled to dist/test/meta.
const document = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'errors.md'), 'utf8');

test('docs/errors.md lists every code of ERRORS once, in its order, with its status and whether to retry', () => {
  const rows = [...document.matchAll(/^\| `(\w+)` +\| (\d+) +\| (yes|no) +\|(.+)\|(.+)\|$/gm)];
  assert.deepEqual(
    rows.map(([, name, status, again]) => [name, Number(status), again]),
    Object.entries(ERRORS).map(([name, [status, , retryable]]) => [name, status, retryable ? 'yes' : 'no']),
  );
  for (const [, name, , , meaning, advice] of rows) {
    assert.ok((meaning ?? '').trim().length > 10, `${name} has no meaning`);
    assert.ok((advice ?? '').trim().length > 10, `${name} has no advice`);
  }
});
