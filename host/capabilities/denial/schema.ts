/** `capabilities.denial` in a manifest. Loaded by `lib` only. */

import { oneOf } from '../../schema/elements.ts';

/** Schema of what is done about the use of what was not granted. */
export const denialSchema = oneOf(['errno', 'end'], '"errno" or "end"');
