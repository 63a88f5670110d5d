/** Paths that a client asks for. */

import { argumentError } from '../../host/errors.ts';
import type { LogQuery } from '../observe/log.ts';

const DOT_SEGMENT = /(^|[/\\])(\.|%2e){1,2}([/\\]|$)/i;

/** Where a function is managed. */
export function functionPath(name: string): string {
  return `/functions/${segment(name)}`;
}

/** Where the records of the log are, of one function or of all. */
export function logsPath({ name, after, sinceMs }: LogQuery): string {
  const query = new URLSearchParams();
  if (after !== undefined) query.set('after', String(after));
  if (sinceMs !== undefined) query.set('since', String(Math.max(0, Math.floor(sinceMs))));
  const path = name === undefined ? '/logs' : `${functionPath(name)}/logs`;
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** A function's name as one segment of a path; escaping leaves the dots, which would ask for something else. */
export function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') throw argumentError('name', "a function's name", name);
  return encodeURIComponent(name);
}

/** What may follow a function's name in a request line: nothing that leads out of it, or ends the line. */
export function checkPath(path: string): string {
  const isPath = /^([/?][\u0021-\u0022\u0024-\u007e]*)?$/.test(path);
  const [steps = ''] = path.split('?');
  if (isPath && !DOT_SEGMENT.test(steps)) return path;
  throw argumentError('path', 'a path from its slash, or a query, in printable ASCII and without dot segments', path);
}
