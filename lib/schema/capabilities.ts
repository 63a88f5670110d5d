/** The schema of `capabilities` in a manifest, out of the one table of host/capabilities. */

import { Type, type TUnsafe } from 'typebox';
import { capabilityEntries, type Capabilities } from '../../host/capabilities/capabilities.ts';
import { CLOSED } from '../../host/schema/elements.ts';

const schemas = Object.fromEntries(capabilityEntries().map(([name, { schema }]) => [name, schema]));

/** Schema of `capabilities`: each may be left out. */
export const CAPABILITIES: TUnsafe<Partial<Capabilities>> = Type.Unsafe<Partial<Capabilities>>(
  Type.Partial(Type.Object(schemas), CLOSED),
);
