/** What the made-up logger of logger-process.ts draws, for the test that holds energies against it. */

export const IDLE_W = 2.5;
export const NOISE_W = 0.02;
export const SAMPLE_S = 1e-3;
export const DRIFT_PPM = 41;

/** A pulse of the pin on the logger's clock, and its energy above idle. */
export interface KnownPulse {
  readonly startS: number;
  readonly endS: number;
  readonly powerW: number;
  readonly netJ: number;
}
