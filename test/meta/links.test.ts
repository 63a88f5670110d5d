/** Links between the documents lead somewhere. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { anchorsOf, linksOf } from './markdown.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');
const FOREIGN = new Set(['node_modules', 'dist', 'target', '.git', 'coverage']);

function documentsIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return FOREIGN.has(entry.name) ? [] : documentsIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

for (const path of documentsIn(root)) {
  test(`${relative(root, path)} has no link that leads nowhere`, () => {
    const broken = linksOf(readFileSync(path, 'utf8')).filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      if (!existsSync(target)) return true;
      if (anchor === undefined || statSync(target).isDirectory()) return false;
      return !anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
    });
    assert.deepEqual(broken, []);
  });
}

test('docs/adr has a number of its own for each page, and a question as its title', () => {
  const numbers = new Set<string>();
  for (const name of readdirSync(join(root, 'docs', 'adr'))) {
    const number = /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1];
    assert.ok(number !== undefined, `${name} has no number`);
    assert.ok(!numbers.has(number), `${number} is there twice`);
    numbers.add(number);
    assert.match(readFileSync(join(root, 'docs', 'adr', name), 'utf8'), /^# .+\?\n/, name);
  }
  assert.ok(numbers.size > 0);
});
