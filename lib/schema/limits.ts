/** The schemas of `limits`, out of the one table of host/limits.ts. */

import { Type, type TInteger, type TUnsafe } from 'typebox';
import { LIMITS, type LimitName, type Limits } from '../../host/limits.ts';
import { CLOSED } from '../../host/schema/elements.ts';

const ranges = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { standard, minimum, maximum }]) => [
    name,
    Type.Integer({ minimum, maximum, default: standard, description: `an integer from ${minimum} to ${maximum}` }),
  ]),
) as Record<LimitName, TInteger>;

/** Schema of all limits, as a record has them. */
export const allLimitsSchema: TUnsafe<Limits> = Type.Unsafe<Limits>(Type.Object(ranges, CLOSED));

/** Schema of `limits` in a manifest and in options: each may be left out. */
export const limitsSchema: TUnsafe<Partial<Limits>> = Type.Unsafe<Partial<Limits>>(
  Type.Partial(Type.Object(ranges), CLOSED),
);
