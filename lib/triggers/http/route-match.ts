/** Which routes a path has. */

import { ROUTES } from './route-table.ts';
import type { Route } from './route.ts';

/** The routes of a path, one for each method, and the function's name in it. */
export interface Match {
  readonly routes: readonly Route[];
  /** Empty where the path has none, or the route reads it itself. */
  readonly name: string;
}

const exact = new Map<string, Route[]>();
const named = new Map<string, Route[]>();
/** By what their paths begin with. */
const open: (readonly [start: string, match: Match])[] = [];

for (const route of ROUTES) {
  const { path } = route;
  if (path.endsWith('/*')) {
    open.push([path.slice(0, path.indexOf(':')), { routes: [route], name: '' }]);
    continue;
  }
  const paths = path.includes(':name') ? named : exact;
  paths.set(path, [...(paths.get(path) ?? []), route]);
}

/** The routes of a path as it was sent; undefined where there is none. */
export function matchPath(path: string): Match | undefined {
  for (const [start, match] of open) if (path.startsWith(start)) return match;
  const fixed = exact.get(path);
  if (fixed !== undefined) return { routes: fixed, name: '' };
  const [, folder = '', encoded = '', ...rest] = path.split('/');
  const routes = named.get(['', folder, ':name', ...rest].join('/'));
  const name = decodeName(encoded);
  return routes === undefined || name === undefined ? undefined : { routes, name };
}

function decodeName(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded) || undefined;
  } catch {
    // A broken escape names nothing.
    return undefined;
  }
}
