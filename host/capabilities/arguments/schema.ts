/** `capabilities.arguments` in a manifest. Loaded by `lib` only. */

import { Type } from 'typebox';
import { PLAIN_TEXT } from '../../schema/elements.ts';

/** Schema of the arguments after the program's name. */
export const argumentsSchema = Type.Array(PLAIN_TEXT, { description: 'a list of texts' });
