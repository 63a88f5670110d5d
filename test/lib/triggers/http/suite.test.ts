/** The suite of invocations, over HTTP. */

import { invocationSuite } from '../../../suite.ts';
import { overHttp } from '../../../ways-in.ts';

invocationSuite('over HTTP', overHttp);
