/** What a deploy tells its caller of what it found out. */

import type { Deployment } from '../host/deployment.ts';
import type { DeployReport } from './executor.ts';

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
