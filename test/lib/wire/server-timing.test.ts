import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALL_PHASES, NO_PHASES, type Phases } from '../../../host/phases.ts';
import { formatServerTiming, parseServerTiming } from '../../../lib/wire/server-timing.ts';

describe('parseServerTiming()', () => {
  it('reads phases in nanoseconds, and nothing else', () => {
    assert.deepEqual(parseServerTiming('queue;dur=0.012, run;desc="x";dur=0.005432, db;dur=9, collect'), {
      ...NO_PHASES,
      queue: 12_000,
      run: 5432,
    });
    assert.deepEqual(parseServerTiming('total;dur=0'), NO_PHASES);
  });

  it('reads what formatServerTiming() writes, of every phase', () => {
    const phases = Object.fromEntries(ALL_PHASES.map((phase, at) => [phase, (at + 1) * 1001])) as unknown as Phases;
    assert.deepEqual(parseServerTiming(formatServerTiming(phases)), phases);
    assert.deepEqual(parseServerTiming(formatServerTiming(NO_PHASES)), NO_PHASES);
  });
});
