/** What a deploy tells its caller of what it found out. */

import type { Deployment } from '../host/snapshot/deployment.ts';
import type { DeployReport } from './executor.ts';

/** A deployment without what only threads need of it. */
export function reportOf(deployment: Deployment): DeployReport {
  const { calibration, snapshotBytes, strategy, reads, initialiseNs } = deployment;
  return {
    strategy,
    reason: calibration.reason,
    calibrationNs: calibration.medianNs,
    snapshotBytes,
    initialiseNs,
    initReads: reads,
  };
}
