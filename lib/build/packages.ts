/** Packages that a folder's sources are built with: found as Node finds them from there, and asked for by name where they are not. */

import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NebulaError } from '../../host/errors.ts';

/** A package that is installed. */
export interface InstalledPackage {
  /** Its folder, links followed. */
  readonly folder: string;
  /** The file that `import` loads. */
  readonly entry: string;
}

interface PackageJson {
  readonly main?: string;
  readonly exports?: Exports;
}

/** What `exports` may be, as far as `import` of the package itself goes. */
type Exports = string | { readonly [condition: string]: Exports | undefined };

/** The package as `folder` sees it. @throws NebulaError TOOL_MISSING */
export function requirePackage(name: string, folder: string): InstalledPackage {
  for (let at = folder, last = ''; at !== last; last = at, at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    const found = readPackage(place);
    if (found !== undefined) {
      const real = realpathSync(place);
      return { folder: real, entry: join(real, entryOf(found.exports) ?? found.main ?? 'index.js') };
    }
  }
  throw new NebulaError('TOOL_MISSING', { folder, tool: name, install: `npm install --prefix ${folder}` });
}

function readPackage(place: string): PackageJson | undefined {
  try {
    return JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as PackageJson;
  } catch {
    return undefined;
  }
}

function entryOf(exports: Exports | undefined): string | undefined {
  if (exports === undefined || typeof exports === 'string') return exports;
  return entryOf(exports['.'] ?? exports['import'] ?? exports['default']);
}
