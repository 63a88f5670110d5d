/**
 * Reads what QEMU's `-trace pl061_set_output -msg timestamp=on` writes: each change of an output of the machine's PL061, by the
 * clock of the machine outside. Source: hw/gpio/trace-events and scripts/tracetool/backend/log.py of QEMU 7.2.
 */

import type { Edge } from '../../hardware/analysis/edges.ts';

/** Half of the microsecond to which the log rounds. */
const HALF_WIDTH_S = 5e-7;

/** Changes of one output, in seconds of the outer machine's wall clock; those that set it low at reset are left out. */
export function pl061Edges(trace: string, output: number): Edge[] {
  const edges: Edge[] = [];
  const pattern = /^\d+@(\d+\.\d{6}):pl061_set_output \S+ setting output (\d+) to ([01])$/gm;
  for (const [, time, line, level] of trace.matchAll(pattern)) {
    if (Number(line) !== output) continue;
    if (edges.length === 0 && level === '0') continue;
    edges.push({ timeS: Number(time), level: level === '1' ? 1 : 0, halfWidthS: HALF_WIDTH_S });
  }
  return edges;
}
