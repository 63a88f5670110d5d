/** A component made ready in one thread: instantiated once, so that what stands in its way shows at the deploy. */

import type { Deployment } from '../deployment.ts';
import type { SnapshotImage } from '../snapshot/image.ts';
import { ComponentVm, type ComponentDefinition } from './component-vm.ts';

/** @throws NebulaError INIT_FAILED, UNKNOWN_IMPORT, MOUNT_UNAVAILABLE */
export function deployComponent(definition: ComponentDefinition): Deployment {
  const startedMs = performance.now();
  new ComponentVm(definition).close();
  const initialiseNs = Math.round((performance.now() - startedMs) * 1e6);
  const reuse = definition.reuse ?? 1;
  const reason =
    reuse === 1 ? definition.prepared.info.restorableReason : `its manifest lets one answer ${reuse} calls`;
  return {
    image: noImage(definition.prepared.digest),
    strategy: 'fresh',
    calibration: { strategy: 'fresh', reason, medianNs: { fresh: initialiseNs } },
    reads: [],
    snapshotBytes: 0,
    initialiseNs,
  };
}

/** Nothing of a component is kept but its binary. */
function noImage(digest: string): SnapshotImage {
  return {
    snapshot: { digest, memoryBytes: 0, globals: [], tables: [], dropped: [] },
    runs: [],
    memfd: -1,
    memfdMissing: 'a component has no snapshot',
  };
}
