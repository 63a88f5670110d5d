/** The port that a command listens on. */

import { argumentError } from '../../host/errors.ts';
import { DEFAULT_PORT } from './options.ts';

/** The one that was given, else that of PORT, else 7070. @throws RangeError for a PORT that is none */
export function portOf(given: number | undefined): number {
  if (given !== undefined) return given;
  const text = process.env['PORT'];
  if (text === undefined || text === '') return DEFAULT_PORT;
  if (!/^\d+$/.test(text) || Number(text) > 65_535) throw argumentError('PORT', 'an integer from 0 to 65535', text);
  return Number(text);
}
