/** Who observes the calls of a Nebula, besides the statistics of each function. */

import type { NebulaOptions } from '../schema/nebula-options.ts';
import { InvocationMarks } from './markers.ts';
import type { Observer } from './observer.ts';

/** The observers that `options` ask for, those with the narrowest windows last. */
export function createObservers({ markers }: NebulaOptions): readonly Observer[] {
  return markers === undefined ? [] : [new InvocationMarks(markers)];
}
