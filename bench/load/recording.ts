/** Power recorded beside a sweep, with stretches in which nothing is sent. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog } from '../../hardware/logger/open-log.ts';
import { monotonicS } from '../../hardware/meter/power-source.ts';
import { Recorder } from '../energy/recorder.ts';
import type { LoadRecording, Stretch } from './energy.ts';

/** Share of a guard that is left out at its start: a server that has just ended or started is not idle yet. */
const SETTLE_SHARE = 0.1;

/** A recording under way. */
export class PowerBeside {
  readonly #recorder: Recorder;
  readonly #path: string;
  readonly #guards: Stretch[] = [];

  private constructor(recorder: Recorder, path: string) {
    this.#recorder = recorder;
    this.#path = path;
  }

  /**
   * Starts recording into a folder.
   * @throws the source's own error; Error for a source with a clock of its own, which nothing here ties to ours
   */
  static async start(source: string, folder: string): Promise<PowerBeside> {
    const path = join(folder, 'power.csv');
    const recorder = await Recorder.start(source, path);
    if (recorder.properties.clock !== 'ours') {
      await recorder.stop();
      const { name } = recorder.properties;
      throw new Error(
        `Cannot measure energy under load with ${name}: expected times of this machine's clock, got its own`,
      );
    }
    return new PowerBeside(recorder, path);
  }

  /** Lets the machine be idle for some seconds; an abort ends that, and what there is counts. */
  async guard(guardS: number, signal: AbortSignal): Promise<void> {
    const startS = monotonicS() + SETTLE_SHARE * guardS;
    await sleep(guardS * 1e3, undefined, { signal }).catch(() => undefined);
    const endS = monotonicS();
    if (endS > startS) this.#guards.push({ startS, endS });
  }

  /** Ends the recording. @throws Error when it ended early; HardwareError for what cannot be read back */
  async stop(): Promise<LoadRecording> {
    const { error, properties } = await this.#recorder.stop();
    if (error !== undefined) throw new Error(`Cannot record power to the end: ${error}`);
    const { trace } = await openLog({ path: this.#path, format: 'nebula-csv' });
    return { trace, estimate: properties.estimate, guards: this.#guards };
  }
}
