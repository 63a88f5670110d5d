/** What is published is whole: it has what package.json names, and imports nothing that is left behind. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { linksOf } from './markdown.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');

interface Entry {
  readonly types: string;
  readonly default: string;
}

interface PackageJson {
  readonly exports: Readonly<Record<string, string | Readonly<Record<'import' | 'require', Entry>>>>;
  readonly main: string;
  readonly types: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson;

/** Paths that `npm pack` would publish, relative to the package. */
function packed(): ReadonlySet<string> {
  const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [report] = JSON.parse(stdout || stderr) as { files: { path: string }[] }[];
  return new Set(report?.files.map(({ path }) => path));
}

const files = packed();

test('package.json names an entry, types and a command that are published', () => {
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [entry.import, entry.require],
  );
  const paths = entries.flatMap(({ types, default: entry }) => [types, entry]);
  assert.ok(paths.includes(manifest.main) && paths.includes(manifest.types));
  for (const path of [...paths, ...Object.values(manifest.bin)]) {
    assert.ok(files.has(path.replace('./', '')), `${path} is not published`);
  }
  for (const path of Object.values(manifest.bin)) {
    assert.match(readFileSync(join(root, path), 'utf8'), /^#!\/usr\/bin\/env node\n/);
  }
});

test('package.json publishes the licence, the documents and the functions, and no test', () => {
  for (const path of ['LICENSE', 'README.md', 'CHANGELOG.md', 'docs/errors.md', 'functions/echo/echo.wasm']) {
    assert.ok(files.has(path), `${path} is not published`);
  }
  assert.deepEqual(
    [...files].filter((path) => /(^|\/)(test|bench|results)\//.test(path) && path !== 'bench/README.md'),
    [],
  );
});

test('package.json publishes all that the README names', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const named = readme.matchAll(/\b(?:docs|functions|bench|hardware|host|lib)\/[\w./-]*[\w]/g);
  const linked = linksOf(readme).map((target) => target.replace(/#.*/, ''));
  const paths = new Set([...Array.from(named, ([path]) => path), ...linked]);
  // Where a run in a clone writes, and what `npm run bench:install` fills.
  const elsewhere = new Set(['docs/results', 'docs/api', 'functions/components']);
  const missing = [...paths].filter((path) => !elsewhere.has(path) && !isPublished(path));
  assert.ok(paths.size > 20);
  assert.deepEqual(missing, []);
});

/** Whether it is a file of the package, or a folder with some. */
function isPublished(path: string): boolean {
  return files.has(path) || [...files].some((each) => each.startsWith(`${path.replace(/\/$/, '')}/`));
}

test('package.json publishes all that its modules import', () => {
  const missing: string[] = [];
  const installed = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const specifier = /(?:^import |^export [^;]*?from |^\} from |\bimport\()\s*(?:[^'";]*?from )?'([^'\n]+)'/gm;
  for (const path of files) {
    if (!path.endsWith('.js')) continue;
    const source = readFileSync(join(root, path), 'utf8');
    for (const [, imported = ''] of source.matchAll(specifier)) {
      const name = /^(?:@[^/]+\/)?[^/]+/.exec(imported)?.[0] ?? '';
      const isThere = imported.startsWith('.')
        ? files.has(join(dirname(path), imported))
        : imported.startsWith('node:') || builtinModules.includes(name) || name in installed;
      if (!isThere) missing.push(`${path}: ${imported}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('docs/adr/0009-dependencies.md names every dependency and no other', () => {
  const page = readFileSync(join(root, 'docs', 'adr', '0009-dependencies.md'), 'utf8');
  const told = Array.from(page.matchAll(/^\| (`.+?) +\|/gm), ([, cell = '']) =>
    cell.split(',').map((name) => name.trim().replaceAll('`', '')),
  );
  const { dependencies, optionalDependencies, devDependencies } = manifest;
  const expected = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies });
  assert.deepEqual(told.flat().sort(), expected.sort());
});
