/** What the adapters for frameworks take. Types only. */

import type { HttpLogger } from './logger.ts';

/** Who may manage functions through a mount, and who is told of failures. */
export interface MountOptions {
  /** Bearer token of the management routes and metrics; without it they are closed. */
  readonly token?: string;
  /** Told of failures inside Nebula; pino's logger fits. */
  readonly logger?: HttpLogger;
  /** Bytes a deployed module may have; default: that of limits. */
  readonly moduleBytes?: number;
}
