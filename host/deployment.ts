/** A function made ready in one thread: initialised, snapshotted, calibrated. The result serves every thread. */

import type { FunctionDefinition, Strategy } from './definition.ts';
import { NebulaError } from './errors.ts';
import { initialise } from './initialise.ts';
import { calibrate, type Calibration } from './snapshot/calibration.ts';
import { decodeSnapshot } from './snapshot/codec.ts';
import { createImage, type SnapshotImage } from './snapshot/image.ts';

/** Plain data that crosses threads; the image's memfd belongs to whoever holds this. */
export interface Deployment {
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
  readonly calibration: Calibration;
  /** Sources the initialisation read that differ from call to call. */
  readonly reads: readonly ('random' | 'clock')[];
  readonly initialiseNs: number;
}

/**
 * Initialises a function, or takes its stored snapshot, and chooses how to restore it.
 * @throws NebulaError INIT_FAILED, INIT_NONDETERMINISTIC, SNAPSHOT_*, MOUNT_UNAVAILABLE
 */
export function deployHere(definition: FunctionDefinition): Deployment {
  const startedMs = performance.now();
  const stored = definition.snapshot === undefined ? undefined : decodeSnapshot(definition.snapshot);
  if (stored !== undefined && stored.digest !== definition.prepared.digest) {
    throw new NebulaError('SNAPSHOT_MISMATCH', { got: stored.digest, expected: definition.prepared.digest });
  }
  const { snapshot, reads } = stored === undefined ? initialise(definition) : { snapshot: stored, reads: [] };
  const initialiseNs = Math.round((performance.now() - startedMs) * 1e6);
  const image = createImage(snapshot);
  const calibration = calibrate(definition, image);
  return { image, strategy: calibration.strategy, calibration, reads, initialiseNs };
}
