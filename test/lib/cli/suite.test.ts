/** The suite of invocations, through the command. */

import { invocationSuite } from '../../suite.ts';
import { throughCommand } from '../../ways-in.ts';

invocationSuite('through the command', throughCommand);
