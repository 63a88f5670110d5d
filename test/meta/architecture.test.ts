/** docs/architecture.md says where a change goes, and its picture is the one that is drawn from its source. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');

/** Files that a change touches at most, tests and documents apart. */
const MOST_FILES = 5;
const CHANGES = 20;

/** The changes by what they are, with the files that are there and those that are new (in italics). */
function changesOf(markdown: string): readonly { what: string; kept: readonly string[]; fresh: readonly string[] }[] {
  const region = /<!-- changes -->(.*)<!-- \/changes -->/s.exec(markdown)?.[1] ?? '';
  return Array.from(region.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm), ([, what = '', files = '']) => {
    const paths = Array.from(files.matchAll(/(_?)`([^`]+)`/g), ([, italic, path = '']) => ({
      path,
      isNew: italic === '_',
    }));
    return {
      what,
      kept: paths.filter(({ isNew }) => !isNew).map(({ path }) => path),
      fresh: paths.filter(({ isNew }) => isNew).map(({ path }) => path),
    };
  }).filter(({ kept, fresh }) => kept.length + fresh.length > 0);
}

test('docs/architecture.md names where each of twenty changes goes: files that are there, and five at most', () => {
  const changes = changesOf(page);
  assert.equal(new Set(changes.map(({ what }) => what)).size, CHANGES);
  for (const { what, kept, fresh } of changes) {
    assert.ok(kept.length + fresh.length <= MOST_FILES, `${what} touches more than ${MOST_FILES} files`);
    for (const path of kept) assert.ok(existsSync(join(root, path)), `${what}: ${path} is not there`);
    for (const path of fresh) assert.ok(!existsSync(join(root, path)), `${what}: ${path} is there already`);
  }
});

test('docs/architecture.md names folders and files that are there', () => {
  const named = Array.from(
    page.matchAll(/(?<!_)`((?:host|pools|lib|bench|hardware|statistics)\/[^`*]*)`/g),
    ([, path = '']) => path,
  );
  assert.ok(named.length > CHANGES);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(root, path))),
    [],
  );
});

/** Texts as they are read: spaces are one, entities are what they stand for. */
const plain = (texts: readonly string[]): readonly string[] =>
  texts.map((text) => text.replaceAll('&#160;', ' ').replaceAll('&#45;', '-').replaceAll(/\s+/g, ' ').trim()).sort();

test('docs/architecture.svg shows every box of docs/architecture.dot, and nothing else', () => {
  const source = readFileSync(join(root, 'docs', 'architecture.dot'), 'utf8');
  const picture = readFileSync(join(root, 'docs', 'architecture.svg'), 'utf8');
  const drawn = Array.from(picture.matchAll(/<text [^>]*>([^<]*)<\/text>/g), ([, text = '']) => text.trim());
  const written = Array.from(source.matchAll(/(?:^|[[\s{])label="([^"]*)"/gm), ([, text = '']) =>
    text.split('\\n'),
  ).flat();
  assert.deepEqual(plain(drawn), plain(written), 'run npm run docs:picture');
});
