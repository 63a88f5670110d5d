/** What waits is looked at again, as long as something may have kept it from a thread that nobody tells of. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission, type AdmissionOptions } from '../../../pools/worker/admission.ts';
import type { Call } from '../../../pools/worker/call.ts';

test('Admission.next() looks again at a call of a function that is new and was held, though none has a standing', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const call = {} as Call;
  const placed: Call[] = [];
  let mayRun = false;
  const queue = {
    get length(): number {
      return 1 - placed.length;
    },
    shift: () => (mayRun ? call : undefined),
  };
  const options = {
    queue,
    dispatcher: {
      get hasRoom(): boolean {
        return true;
      },
      place: (next: Call) => placed.push(next) > 0,
      steal: () => false,
      watch: () => undefined,
    },
    chores: { forgetLeaving: () => undefined, startWaiting: () => true, areWaiting: false, areRunning: false },
    fairness: { isWatching: false, mayHold: true, waitNs: () => 5e6 },
    drain: { isAwaited: false },
  };
  const admission = new Admission(options as unknown as AdmissionOptions);
  try {
    admission.next();
    context.mock.timers.tick(5);
    assert.deepEqual(placed, [], 'a timer that comes early finds it held still');
    mayRun = true;
    context.mock.timers.tick(5);
    assert.deepEqual(placed, [call]);
  } finally {
    admission.close();
  }
});
