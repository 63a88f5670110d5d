/** The package as it is installed: packed, and unpacked in a folder of its own beside what it depends on. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');

/** A project in which nothing but the package and its dependencies is installed. */
export interface Project {
  readonly folder: string;
  readonly remove: () => void;
}

/** Packs the package as it is built now and installs it in a new folder, away from any other node_modules. */
export function installPackage(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-installed-'));
  const place = join(folder, 'node_modules', 'nebula-faas');
  mkdirSync(place, { recursive: true });
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(packed.status, 0, packed.stderr);
  const [report] = JSON.parse(packed.stdout) as { readonly filename: string }[];
  const archive = join(folder, report?.filename ?? '');
  const unpacked = spawnSync('tar', ['-xzf', archive, '-C', place, '--strip-components=1'], { encoding: 'utf8' });
  assert.equal(unpacked.status, 0, unpacked.stderr);
  for (const path of dependencyPaths()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(root, path), join(folder, path));
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Where npm puts what the package cannot do without; types apart, which none of its declarations may lead to. */
function dependencyPaths(): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly [kind in 'dev' | 'optional' | 'devOptional']?: boolean }>>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !(dev || optional || devOptional))
    .map(([path]) => path)
    .filter((path) => path.lastIndexOf('node_modules/') === 0 && !path.startsWith('node_modules/@types/'));
}
