/** The ways in which a guest's state is put back after a run (docs/architecture.md). */

/** Names of the strategies; where a manifest says `auto`, a calibration chooses. */
export const STRATEGIES = ['fresh', 'copy', 'cow'] as const;

/** How a state is put back: a new instance, a copy of the image's pages, or copy-on-write. */
export type Strategy = (typeof STRATEGIES)[number];
