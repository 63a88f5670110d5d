/** What the command line says of a run. */

/** What every run beside peers takes. */
export interface RunOptions {
  /** Blocks in which the subjects take turns; each gives 100 samples of a fast subject. */
  readonly blocks: number;
  readonly seed: number;
}
