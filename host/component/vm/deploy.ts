/**
 * A component made ready in one thread: instantiated, so that what stands in its way shows at the deploy, and where its
 * core instances can be put back exactly, an image of their memory for every thread.
 */

import { UNCOUNTED, type AddressSpace } from '../../linux/address-space.ts';
import type { Deployment } from '../../snapshot/deployment.ts';
import { closeImage, createImage, withoutRuns, type SnapshotImage } from '../../snapshot/image.ts';
import { timeRestore } from '../../snapshot/restore/calibration.ts';
import { imageBytes } from '../../snapshot/snapshot.ts';
import { chooseStrategy, onlyFresh, type Calibration } from '../../snapshot/strategy.ts';
import { ComponentVm } from './component-vm.ts';
import type { ComponentDefinition } from './component-definition.ts';

/** Times a renewal is tried; the first learns what to put back. */
const ROUNDS = 5;

/**
 * Instantiates a component, and chooses how its core instances are put back.
 * @throws NebulaError INIT_FAILED, UNKNOWN_IMPORT, MODULE_UNSUPPORTED, *_MINIMUM, MOUNT_UNAVAILABLE, ADDRESS_SPACE
 */
export function deployComponent(definition: ComponentDefinition, space: AddressSpace = UNCOUNTED): Deployment {
  const startedMs = performance.now();
  const first = new ComponentVm(definition, undefined, 'fresh', space);
  const initialiseNs = nsSince(startedMs);
  try {
    const { notRestorable } = first;
    if (definition.strategy === 'fresh' || notRestorable !== '')
      return deployFresh(definition, calibrate(definition, notRestorable, noImage(definition)), initialiseNs);
    const snapshot = first.read();
    const image = createImage(snapshot);
    try {
      const calibration = calibrate(definition, '', image);
      const { strategy } = calibration;
      const second = new ComponentVm(definition, image, strategy, space);
      const tried = trial(first, second);
      if (typeof tried === 'string') {
        closeImage(image);
        return deployFresh(definition, onlyFresh(tried), initialiseNs);
      }
      return {
        image: strategy === 'cow' ? withoutRuns(image) : image,
        strategy,
        // What a call waits for is not the memory alone: the glue around it is put back, too.
        calibration: { ...calibration, medianNs: { fresh: initialiseNs, [strategy]: tried } },
        reads: [],
        snapshotBytes: imageBytes(snapshot),
        initialiseNs,
      };
    } catch (error) {
      closeImage(image);
      throw error;
    }
  } finally {
    first.close();
  }
}

function nsSince(startedMs: number): number {
  return Math.round((performance.now() - startedMs) * 1e6);
}

/** `fresh` is not timed: a component takes milliseconds to be made, and its memory microseconds to be put back. */
function calibrate(
  { strategy: wanted }: ComponentDefinition,
  notRestorable: string,
  image: SnapshotImage,
): Calibration {
  return chooseStrategy({
    wanted,
    notRestorable,
    image,
    // The deploy has timed what is fresh, and where nothing can be mapped there is only one way besides.
    time: (strategy) => (strategy === 'fresh' || image.memfd < 0 ? undefined : timeRestore(image, strategy)),
  });
}

/** Puts a second instance back a few times: the median in nanoseconds; or why it is not what the first one is. */
function trial(first: ComponentVm, second: ComponentVm): number | string {
  try {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = performance.now();
      if (!second.renew()) return 'it could not be put back when that was tried';
      times.push(nsSince(startedMs));
    }
    const isSame = JSON.stringify(second.digest()) === JSON.stringify(first.digest());
    if (!isSame) return 'its instantiation differs from time to time';
    times.sort((left, right) => left - right);
    return times[Math.floor(ROUNDS / 2)] ?? 0;
  } finally {
    second.close();
  }
}

function deployFresh(definition: ComponentDefinition, calibration: Calibration, initialiseNs: number): Deployment {
  return {
    image: noImage(definition),
    strategy: 'fresh',
    calibration: { ...calibration, medianNs: { fresh: initialiseNs } },
    reads: [],
    snapshotBytes: 0,
    initialiseNs,
  };
}

function noImage({ prepared: { digest } }: ComponentDefinition): SnapshotImage {
  return {
    snapshot: { digest, memoryBytes: 0, globals: [], tables: [], dropped: [] },
    runs: [],
    memfd: -1,
    memfdMissing: 'there is no snapshot of the component',
    memfdOffset: 0,
    hugeBytes: 0,
  };
}
