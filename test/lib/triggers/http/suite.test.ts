/** The suite of invocations over HTTP, also with guests that wait without a thread. */

import { invocationSuite } from '../../../suite.ts';
import { waitingSkip, waitingWayIn } from '../../../waiting-way-in.ts';
import { overHttp } from '../../../ways-in.ts';

invocationSuite('over HTTP', () => overHttp());
invocationSuite(
  'of guests that wait, over HTTP',
  () => waitingWayIn(() => overHttp({ threads: 1, spareThreads: 0 })),
  waitingSkip(),
);
