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
  showsFailures,
  type FailedOutcome,
} from '../../wire/outcome.ts';
import type { Answer } from './exchange.ts';
import { problemAnswer, ShownFailure } from './problem-answer.ts';

/** Who asks, as far as answers depend on it. */
export interface Asker {
  readonly requestId: string;
  /** Whether they may manage functions, and so know why a call failed. */
  mayManage(): boolean;
}

/** The answer to `POST /invoke/:name`. */
export function outcomeAnswer(record: FunctionRecord, outcome: Outcome, asker: Asker): Answer {
  if (outcome.kind !== 'ok') return guestFailureAnswer(record, outcome, asker);
  return { status: 200, headers: okFields(record, outcome), body: outcome.stdout };
}

/** The answer for every ending but `ok`. */
export function guestFailureAnswer(record: FunctionRecord, outcome: FailedOutcome, asker: Asker): Answer {
  const isShowing = showsFailures(record) || asker.mayManage();
  return problemAnswer(
    failureOf(record, outcome, isShowing),
    asker.requestId,
    failureMembers(outcome, isShowing),
    outcomeFields(record, outcome, isShowing),
  );
}

/** What a call has thrown, as it is to be told: of a thread that was lost with what its guest wrote, to those who may know it. */
export function lossOf(record: FunctionRecord, error: unknown, asker: Asker): unknown {
  const members = lossMembers(error);
  if (members === undefined || !(showsFailures(record) || asker.mayManage())) return error;
  return new ShownFailure(error as NebulaError, members);
}
