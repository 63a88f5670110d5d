import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { quoteResults, QUOTING, readResults, ROOT } from './comparison.ts';

/** Without what formatting changes. */
const plain = (markdown: string): string => markdown.replaceAll(/-{2,}/g, '-').replaceAll(/ {2,}/g, ' ');

for (const name of QUOTING) {
  test(`${name} quotes what docs/results holds`, () => {
    const page = readFileSync(join(ROOT, name), 'utf8');
    assert.match(page, /<!-- quote /);
    assert.equal(plain(page), plain(quoteResults(page, readResults())), 'run node dist/test/meta/fill-comparison.js');
  });
}

test('quoteResults() fills a quote whatever it held, and refuses one that it does not know', () => {
  const results = readResults();
  const filled = quoteResults('a\n<!-- quote load -->\noutdated\n<!-- end -->\nb\n', results);
  assert.match(filled, /^a\n<!-- quote load -->\n\n`\w+` over HTTP\. /);
  assert.match(filled, /\| `wasm-restored` +\| [\d,.]+ /);
  assert.equal(filled.includes('outdated'), false);
  assert.throws(() => quoteResults('<!-- quote energy -->\n<!-- end -->', results), /No quote is called energy/);
});
