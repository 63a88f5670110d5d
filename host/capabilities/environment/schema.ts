/** `capabilities.environment` in a manifest. Loaded by `lib` only. */

import { ENVIRONMENT } from '../../schema/elements.ts';

/** Schema of the guest's variables by name. */
export const environmentSchema = ENVIRONMENT;
