/** The writes to the pin of namespace.ts, out of what strace wrote. */

import type { Edge } from '../../../hardware/analysis/edges.ts';

/** Writes to the pin's value as strace saw them, by the wall clock: entry of the call, in microseconds. */
export function tracedEdges(trace: string): Edge[] {
  const edges: Edge[] = [];
  const pattern = /^(?:\d+ +)?(\d+\.\d+) pwrite64\(\d+<[^>]*gpio529\/value>, "([01])", 1, 0(?:\)| <unfinished)/;
  for (const row of trace.split('\n')) {
    const found = pattern.exec(row);
    if (found === null) continue;
    edges.push({ timeS: Number(found[1]), level: found[2] === '1' ? 1 : 0, halfWidthS: 5e-7 });
  }
  return edges;
}
