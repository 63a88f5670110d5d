import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROUTES } from '../../lib/triggers/http/route-table.ts';
import { rowsOf } from './markdown.ts';

// Compiled to dist/test/meta.
const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'http.md'), 'utf8');

/** `GET, PUT /a` and `GET /a, /b` as one route each. */
function routesIn(cell: string): string[] {
  const routes: string[] = [];
  let methods: string[] = [];
  let isAfterPath = false;
  for (const word of cell.split(/[, ]+/)) {
    if (/^[A-Z]+$/.test(word)) {
      methods = isAfterPath ? [word] : [...methods, word];
      isAfterPath = false;
    } else {
      routes.push(...methods.map((method) => `${method} ${word}`));
      isAfterPath = true;
    }
  }
  return routes;
}

test('docs/http.md lists every route, and no other', () => {
  const told = rowsOf(page).flatMap(([route = '']) => (/^[A-Z, ]+ \//.test(route) ? routesIn(route) : []));
  assert.deepEqual(told.sort(), ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
});
