/** The restorer of each strategy. */

import type { Strategy } from '../../definition/strategies.ts';
import type { SnapshotImage } from '../image.ts';
import { createCopyRestorer } from './copy.ts';
import { CowRestorer } from './cow.ts';
import type { Restorer } from './restorer.ts';

/** Makes the restorer for a strategy; `copy` serves for `cow` where the image has no memfd. */
export function createRestorer(image: SnapshotImage, strategy: Strategy): Restorer {
  if (strategy === 'cow' && image.memfd >= 0) return new CowRestorer(image);
  return createCopyRestorer(image, strategy === 'fresh' ? 'fresh' : 'copy');
}
