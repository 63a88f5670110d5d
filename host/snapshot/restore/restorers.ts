/** Makes the restorer for a strategy, or the nearest one that the image and the module allow. */

import type { ModuleInfo } from '../../module/inspect.ts';
import type { Strategy } from '../../definition.ts';
import type { SnapshotImage } from '../image.ts';
import { createCopyRestorer } from './copy.ts';
import { CowRestorer } from './cow.ts';
import type { Restorer } from './restorer.ts';

/** Strategies that are exact for a module whose snapshot this is, the preferred last. */
export function allowedStrategies(info: ModuleInfo, image: SnapshotImage): Strategy[] {
  return exactStrategies(info, image.memfd >= 0);
}

/** The same before there is a snapshot; `isMappable` says whether its memory could be mapped copy-on-write. */
export function exactStrategies(info: ModuleInfo, isMappable: boolean): Strategy[] {
  if (!info.restorable) return ['fresh'];
  return isMappable ? ['fresh', 'copy', 'cow'] : ['fresh', 'copy'];
}

export function createRestorer(image: SnapshotImage, strategy: Strategy): Restorer {
  if (strategy === 'cow' && image.memfd >= 0) return new CowRestorer(image);
  return createCopyRestorer(image, strategy === 'fresh' ? 'fresh' : 'copy');
}
