/** A thread of a sync load: works while the flag is 1, waits while it is 0. */

import { workerData } from 'node:worker_threads';

const flag = workerData as Int32Array;
let value = 1;

for (;;) {
  Atomics.wait(flag, 0, 0);
  // Arithmetic that no compiler can leave out, for about a tenth of a millisecond between two looks at the flag.
  while (Atomics.load(flag, 0) === 1)
    for (let step = 0; step < 100_000; step++) value = Math.fround(value * 1.000_001 + step);
  if (value === Number.NEGATIVE_INFINITY) break;
}
