/**
 * A component made ready in one thread: instantiated, so that what stands in its way shows at the deploy, and where its
 * core instances can be put back exactly, an image of their memory for every thread.
 */

import { UNCOUNTED, type AddressSpace } from '../../address-space.ts';
import type { Strategy } from '../../definition.ts';
import type { Deployment } from '../../deployment.ts';
import { closeImage, createImage, withoutRuns, type SnapshotImage } from '../../snapshot/image.ts';
import { timeRestore } from '../../snapshot/calibration.ts';
import { imageBytes } from '../../snapshot/snapshot.ts';
import { ComponentVm } from './component-vm.ts';
import type { ComponentDefinition } from './component-definition.ts';

/** Times a renewal is tried; the first learns what to put back. */
const ROUNDS = 5;

/** @throws NebulaError INIT_FAILED, UNKNOWN_IMPORT, MODULE_UNSUPPORTED, *_MINIMUM, MOUNT_UNAVAILABLE, ADDRESS_SPACE */
export function deployComponent(definition: ComponentDefinition, space: AddressSpace = UNCOUNTED): Deployment {
  const startedMs = performance.now();
  const first = new ComponentVm(definition, undefined, 'fresh', space);
  const initialiseNs = nsSince(startedMs);
  try {
    const reason = definition.strategy === 'fresh' ? 'named by the manifest' : first.notRestorable;
    if (reason !== '') return deployFresh(definition, reason, initialiseNs);
    const snapshot = first.read();
    const image = createImage(snapshot);
    try {
      const tried = trial(definition, first, image, space);
      if (typeof tried === 'string') {
        closeImage(image);
        return deployFresh(definition, tried, initialiseNs);
      }
      const { strategy, renewNs } = tried;
      return {
        image: strategy === 'cow' ? withoutRuns(image) : image,
        strategy,
        calibration: {
          strategy,
          reason: reasonOf(definition.strategy, strategy, image),
          medianNs: { fresh: initialiseNs, [strategy]: renewNs },
        },
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

function reasonOf(wanted: Strategy | 'auto', strategy: Strategy, image: SnapshotImage): string {
  if (image.memfd < 0 && image.snapshot.memoryBytes > 0) return `no copy-on-write here: ${image.memfdMissing}`;
  return wanted === strategy ? 'named by the manifest' : 'the fastest in calibration';
}

/** The named one if it can be had, or the faster for a memory of this size. */
function chooseStrategy(wanted: Strategy | 'auto', image: SnapshotImage): Strategy {
  if (image.memfd < 0 || wanted === 'copy') return 'copy';
  if (wanted === 'cow') return 'cow';
  return timeRestore(image, 'copy').quartileNs < timeRestore(image, 'cow').quartileNs ? 'copy' : 'cow';
}

/** Puts a second instance back a few times; or says why it is not what the first one is. */
function trial(
  definition: ComponentDefinition,
  first: ComponentVm,
  image: SnapshotImage,
  space: AddressSpace,
): { readonly strategy: Strategy; readonly renewNs: number } | string {
  const strategy = chooseStrategy(definition.strategy, image);
  const second = new ComponentVm(definition, image, strategy, space);
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
    return { strategy, renewNs: times[Math.floor(ROUNDS / 2)] ?? 0 };
  } finally {
    second.close();
  }
}

function deployFresh(definition: ComponentDefinition, reason: string, initialiseNs: number): Deployment {
  return {
    image: noImage(definition.prepared.digest),
    strategy: 'fresh',
    calibration: { strategy: 'fresh', reason, medianNs: { fresh: initialiseNs } },
    reads: [],
    snapshotBytes: 0,
    initialiseNs,
  };
}

function noImage(digest: string): SnapshotImage {
  return {
    snapshot: { digest, memoryBytes: 0, globals: [], tables: [], dropped: [] },
    runs: [],
    memfd: -1,
    memfdMissing: 'there is no snapshot of the component',
    memfdOffset: 0,
    hugeBytes: 0,
  };
}
