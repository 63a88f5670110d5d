/** What deploying a function leaves behind, for every thread. */

import type { Strategy } from '../definition/strategies.ts';
import type { SnapshotImage } from './image.ts';
import type { Calibration } from './strategy.ts';

/** Plain data that crosses threads; the image's memfd belongs to whoever holds this. */
export interface Deployment {
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
  readonly calibration: Calibration;
  /** Size of the snapshot's memory, its zero pages left out. */
  readonly snapshotBytes: number;
  /** Sources the initialisation read that differ from call to call. */
  readonly reads: readonly ('random' | 'clock')[];
  readonly initialiseNs: number;
}
