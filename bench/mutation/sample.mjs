// A checker of Stryker's that lets a share of the mutants through, chosen by a hash of the seed and of what they are.
import { createHash } from 'node:crypto';

/** Why a mutant was not tried. */
export const NOT_SAMPLED = 'not in the sample';

class Sample {
  static inject = ['options'];

  constructor({ sample }) {
    this.sample = sample;
  }

  async init() {}

  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  }

  async check(mutants) {
    return Object.fromEntries(
      mutants.map((mutant) => [
        mutant.id,
        this.isChosen(mutant) ? { status: 'passed' } : { status: 'compileError', reason: NOT_SAMPLED },
      ]),
    );
  }

  isChosen({ fileName, mutatorName, replacement, location }) {
    const what = [fileName.split('/').slice(-2), mutatorName, replacement, location];
    const hash = createHash('sha256')
      .update(JSON.stringify([this.sample.seed, what]))
      .digest();
    return hash.readUInt32LE(0) < this.sample.share * 2 ** 32;
  }
}

export const strykerPlugins = [{ kind: 'Checker', name: 'sample', injectableClass: Sample }];

export const strykerValidationSchema = {
  properties: {
    sample: {
      type: 'object',
      properties: { share: { type: 'number' }, seed: { type: 'string' } },
      default: { share: 1, seed: '1' },
    },
  },
};
