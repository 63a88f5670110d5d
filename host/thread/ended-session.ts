/** The end of a session, as its thread tells of it. */

import { NebulaError } from '../errors.ts';

/** What a session is told that would have another instance. */
export function endedSession(name: string): NebulaError {
  return new NebulaError('SESSION_ENDED', {
    name,
    ending: 'the loss of its instance: its guest did not return from a call',
  });
}
