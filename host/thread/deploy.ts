/** Makes a function ready in one thread: initialised, snapshotted, calibrated. The result serves every thread. */

import { NO_BYTES } from '../bytes.ts';
import { UNCOUNTED, type AddressSpace } from '../linux/address-space.ts';
import { hasComponent } from '../component/vm/component-definition.ts';
import { deployComponent } from '../component/vm/deploy.ts';
import type { FunctionDefinition } from '../definition/definition.ts';
import type { Deployment } from '../snapshot/deployment.ts';
import { isNebulaError, messageOf, NebulaError } from '../errors.ts';
import { initialise, type Initialised } from '../micro-vm/initialise.ts';
import { MicroVm } from '../micro-vm/micro-vm.ts';
import { timeFresh, timeRestore } from '../snapshot/restore/calibration.ts';
import { decodeSnapshot } from '../snapshot/codec.ts';
import { closeImage, createImage, withoutRuns, type SnapshotImage } from '../snapshot/image.ts';
import { imageBytes } from '../snapshot/snapshot.ts';
import { chooseStrategy, type Calibration } from '../snapshot/strategy.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

/**
 * Initialises a function, or takes its stored snapshot, and chooses how to restore it.
 * @throws NebulaError INIT_FAILED, INIT_NONDETERMINISTIC, SNAPSHOT_*, *_MINIMUM, MOUNT_UNAVAILABLE, ADDRESS_SPACE
 */
export function deployHere(definition: FunctionDefinition, space: AddressSpace = UNCOUNTED): Deployment {
  if (hasComponent(definition)) return deployComponent(definition, space);
  const startedMs = performance.now();
  const { snapshot, reads } =
    definition.snapshot === undefined ? initialise(definition, space) : openStored(definition);
  const initialiseNs = Math.round((performance.now() - startedMs) * 1e6);
  const image = createImage(snapshot);
  try {
    if (definition.snapshot !== undefined) trial(definition, image, space);
    const calibration = calibrate(definition, image);
    const { strategy } = calibration;
    const kept = strategy === 'cow' ? withoutRuns(image) : image;
    return { image: kept, strategy, calibration, snapshotBytes: imageBytes(snapshot), reads, initialiseNs };
  } catch (error) {
    closeImage(image);
    throw error;
  }
}

/**
 * Chooses how a module's state is put back, on an image of it.
 * @throws NebulaError MOUNT_UNAVAILABLE
 */
export function calibrate(definition: FunctionDefinition, image: SnapshotImage): Calibration {
  const { restorable, restorableReason } = definition.prepared.info;
  const unaudited = { ...definition, audit: false };
  return chooseStrategy({
    wanted: definition.strategy,
    notRestorable: restorable ? '' : restorableReason,
    image,
    time: (strategy) =>
      strategy === 'fresh'
        ? timeFresh(() => new MicroVm(unaudited, image, 'fresh').close())
        : timeRestore(image, strategy),
  });
}

function openStored(definition: FunctionDefinition): Pick<Initialised, 'snapshot' | 'reads'> {
  const { prepared, limits } = definition;
  const snapshot = decodeSnapshot(definition.snapshot ?? NO_BYTES);
  if (snapshot.digest !== prepared.digest) {
    throw new NebulaError('SNAPSHOT_MISMATCH', { got: snapshot.digest, expected: prepared.digest });
  }
  const { memory } = prepared.info;
  const limitBytes = (memory?.limitPages ?? 0) * WASM_PAGE_BYTES;
  if (memory !== null && snapshot.memoryBytes > limitBytes) {
    throw new NebulaError('MEMORY_MINIMUM', { minimumBytes: snapshot.memoryBytes, limitBytes: limits.memoryBytes });
  }
  const minimumBytes = (memory?.minimumPages ?? 0) * WASM_PAGE_BYTES;
  if (snapshot.memoryBytes < minimumBytes || snapshot.memoryBytes > limitBytes) {
    const detail = `a memory of ${snapshot.memoryBytes} bytes, the module's has ${minimumBytes} to ${limitBytes}`;
    throw new NebulaError('SNAPSHOT_CORRUPT', { detail });
  }
  const elements = snapshot.tables.reduce((sum, table) => sum + table.elements.length, 0);
  if (elements > limits.tableElements) {
    throw new NebulaError('TABLE_MINIMUM', { minimum: elements, limit: limits.tableElements });
  }
  return { snapshot, reads: [] };
}

/** A checksum says that a snapshot is whole, not that its globals and tables are the module's: that shows here. */
function trial(definition: FunctionDefinition, image: SnapshotImage, space: AddressSpace): void {
  try {
    new MicroVm(definition, image, 'fresh', space).close();
  } catch (cause) {
    if (isNebulaError(cause)) throw cause;
    const detail = `its state does not fit the module: ${messageOf(cause)}`;
    throw new NebulaError('SNAPSHOT_CORRUPT', { detail }, { cause });
  }
}
