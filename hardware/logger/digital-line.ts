/** Edges from the sampled levels of one digital input. */

import type { Edge } from '../analysis/edges.ts';
import { HardwareError } from '../instrument/errors.ts';

/** A sampled level: `X` both within the sample, `-` no data. */
export type DigitalLevel = 0 | 1 | 'X' | '-';

/** A marker remembers 2,000,000 edges: a log of more than this is noise, or was made to fill the memory. */
export const MAX_EDGES = 2 ** 21;

/** Counts the edges of all lines of one log. */
export class EdgeCount {
  #edges = 0;

  /** @throws HardwareError TRACE_INVALID above `MAX_EDGES` */
  add(): void {
    if (++this.#edges <= MAX_EDGES) return;
    const expected = `at most ${MAX_EDGES} edges of its digital lines`;
    throw new HardwareError('TRACE_INVALID', { source: 'the log', expected, got: 'more' });
  }
}

/** An edge lies between two samples: at their middle, give or take half their distance; on an `X` at its sample. */
export class DigitalLine {
  readonly edges: Edge[] = [];
  /** Samples with both levels after which the level was the one before. */
  glitches = 0;
  readonly #count: EdgeCount;
  #level: 0 | 1 | undefined;
  #lastS = Number.NaN;
  #bothS: number | undefined;

  /** @param count of the log that the line is of */
  constructor(count: EdgeCount) {
    this.#count = count;
  }

  /** @throws HardwareError TRACE_INVALID for a log of too many edges */
  sample(timeS: number, level: DigitalLevel): void {
    if (level === '-') return;
    if (level === 'X') {
      this.#bothS ??= timeS;
      return;
    }
    if (this.#level !== undefined && level !== this.#level) {
      const halfWidthS = (timeS - (this.#bothS ?? this.#lastS)) / 2;
      const atS = this.#bothS ?? (this.#lastS + timeS) / 2;
      this.edge({ timeS: atS, level, halfWidthS });
    } else if (this.#bothS !== undefined) this.glitches++;
    this.#level = level;
    this.#lastS = timeS;
    this.#bothS = undefined;
  }

  /** @throws HardwareError TRACE_INVALID for a log of too many edges */
  edge(edge: Edge): void {
    this.#count.add();
    this.edges.push(edge);
    this.#level = edge.level;
  }
}
