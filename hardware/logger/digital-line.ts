/** Edges from the sampled levels of one digital input. */

import type { Edge } from '../analysis/edges.ts';

/** A sampled level: `X` both within the sample, `-` no data. */
export type DigitalLevel = 0 | 1 | 'X' | '-';

/** An edge lies between two samples: at their middle, give or take half their distance; on an `X` at its sample. */
export class DigitalLine {
  readonly edges: Edge[] = [];
  /** Samples with both levels after which the level was the one before. */
  glitches = 0;
  #level: 0 | 1 | undefined;
  #lastS = Number.NaN;
  #bothS: number | undefined;

  sample(timeS: number, level: DigitalLevel): void {
    if (level === '-') return;
    if (level === 'X') {
      this.#bothS ??= timeS;
      return;
    }
    if (this.#level !== undefined && level !== this.#level) {
      const halfWidthS = (timeS - (this.#bothS ?? this.#lastS)) / 2;
      const atS = this.#bothS ?? (this.#lastS + timeS) / 2;
      this.edges.push({ timeS: atS, level, halfWidthS });
    } else if (this.#bothS !== undefined) this.glitches++;
    this.#level = level;
    this.#lastS = timeS;
    this.#bothS = undefined;
  }

  edge(edge: Edge): void {
    this.edges.push(edge);
    this.#level = edge.level;
  }
}
