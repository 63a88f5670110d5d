/**
 * What the thesis published. Source: M. N. Kluften, Nebula: Performance and Energy Efficiency in Serverless Computing,
 * University of Oslo, 2024, tables "Comparison of Wasm vs. Docker cold starts on VM" and "... on Raspberry Pi", and the text
 * after them for what its averages leave out.
 */

/** A quantity of one call: ms, or uWh of energy. */
export interface PublishedPair {
  readonly docker: number;
  readonly wasm: number;
  /** As printed. */
  readonly times: number;
}

/** What the thesis compares, in its words. */
export const THESIS_METRICS = ['cold start', 'runtime', 'total runtime', 'energy consumption'] as const;

/** One of `THESIS_METRICS`. */
export type ThesisMetric = (typeof THESIS_METRICS)[number];

/** The machine that it was measured on. */
export type ThesisMachine = 'vm' | 'pi';

/** Means over all functions and inputs. */
export const PUBLISHED: Readonly<Record<ThesisMetric, Readonly<Partial<Record<ThesisMachine, PublishedPair>>>>> = {
  'cold start': {
    vm: { docker: 324.66, wasm: 0.89, times: 365 },
    pi: { docker: 692.36, wasm: 3.19, times: 217 },
  },
  runtime: {
    vm: { docker: 187.03, wasm: 0.69, times: 271 },
    pi: { docker: 426.82, wasm: 2.93, times: 146 },
  },
  'total runtime': {
    vm: { docker: 511.69, wasm: 1.58, times: 324 },
    pi: { docker: 1119.18, wasm: 6.12, times: 183 },
  },
  'energy consumption': { pi: { docker: 1176.15, wasm: 5.95, times: 198 } },
};

/** Cells that the thesis's averages leave out: fibonacci-recursive above 30, prime-number above 1,500. */
export function isAveraged(cell: { readonly function: string; readonly input: string }): boolean {
  return !((cell.function === 'fibonacci-recursive' || cell.function === 'prime-number') && cell.input === 'large');
}
