/** Options of an import that remember whether a format used them: one that it has no use for would change nothing, silently. */

import { HardwareError } from '../instrument/errors.ts';
import type { ImportOptions } from './log.ts';

const NAMES = {
  vddV: 'the voltage (--vdd)',
  sampleS: 'the sampling interval (--interval)',
  channel: 'the channel (--channel)',
} as const satisfies Record<keyof ImportOptions, string>;

/** Reads as the options that were given. */
export class GivenOptions implements ImportOptions {
  readonly #given: ImportOptions;
  readonly #used = new Set<keyof ImportOptions>();

  constructor(given: ImportOptions) {
    this.#given = given;
  }

  #use<Name extends keyof ImportOptions>(name: Name): ImportOptions[Name] {
    this.#used.add(name);
    return this.#given[name];
  }

  // Undefined stands for what was left out: formats ask, and so use.
  get vddV(): number {
    return this.#use('vddV') as number;
  }

  get sampleS(): number {
    return this.#use('sampleS') as number;
  }

  get channel(): string {
    return this.#use('channel') as string;
  }

  /** @throws HardwareError ARGUMENT naming an option that was given and never asked for */
  requireUsed(format: string): void {
    for (const name of Object.keys(NAMES) as (keyof ImportOptions)[]) {
      const value = this.#given[name];
      if (value === undefined || this.#used.has(name)) continue;
      const fields = { what: NAMES[name], expected: `none: this ${format} log has no use for it`, got: value };
      throw new HardwareError('ARGUMENT', fields);
    }
  }
}
