/** An Outcome as a response: stdout for `ok`, a problem for any other ending (lib/wire/outcome.ts). */

import type { NebulaError } from '../../../host/errors.ts';
import type { Outcome } from '../../../host/outcome.ts';
import type { FunctionRecord } from '../../schema/function-record.ts';
import {
  failureMembers,
  failureOf,
  lossMembers,
  okFields,
  outcomeFields,
  type FailedOutcome,
} from '../../wire/outcome.ts';
import type { Answer } from './exchange.ts';
import { problemAnswer, ShownFailure } from './problem-answer.ts';

/** The answer to `POST /invoke/:name`. */
export function outcomeAnswer(record: FunctionRecord, outcome: Outcome): Answer {
  if (outcome.kind !== 'ok') return guestFailureAnswer(record, outcome);
  return { status: 200, headers: okFields(record, outcome), body: outcome.stdout };
}

/** The answer for every ending but `ok`. */
export function guestFailureAnswer(record: FunctionRecord, outcome: FailedOutcome): Answer {
  return problemAnswer(failureOf(record, outcome), failureMembers(record, outcome), outcomeFields(record, outcome));
}

/** What a call has thrown, as it is to be told: of a thread that was lost with what its guest wrote, where the function shows that. */
export function lossOf(record: FunctionRecord, error: unknown): unknown {
  const members = lossMembers(record, error);
  return members === undefined ? error : new ShownFailure(error as NebulaError, members);
}
