/** `capabilities.bindings` in a manifest. Loaded by `lib` only. */

import { setOf, text } from '../../schema/elements.ts';
import { BINDING_NAME } from '../../bindings/names.ts';

/** Schema of the bindings that a guest may call, by name. */
export const bindingsSchema = setOf(text(BINDING_NAME, 'the name of a binding'), {
  description: 'a list of names of bindings',
});
