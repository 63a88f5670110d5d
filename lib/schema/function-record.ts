/** A deployed function as `list` shows it. */

import { Type } from 'typebox';
import { BUDGET_REASONS } from '../../host/definition/budget.ts';
import { COMPONENT_KINDS } from '../../host/definition/prepared-component.ts';
import { oneOf, text } from '../../host/schema/elements.ts';
import type { ReadonlyStatic } from '../../host/schema/static.ts';
import { deployReportSchema, type DeployReport } from '../../pools/deploy-report.ts';
import { allLimitsSchema } from './limits.ts';
import { manifestSchema, nameSchema, type Manifest } from './manifest.ts';

const componentSchema = Type.Object({
  /** `command` exports wasi:cli/run, `http` exports wasi:http/incoming-handler, `library` neither. */
  kind: oneOf(COMPONENT_KINDS),
  /** Interfaces with their versions, and functions of the world. */
  exports: Type.Array(Type.String(), { description: 'interfaces with their versions, and functions of the world' }),
});

/** What a component is and exports. */
export interface ComponentRecord extends ReadonlyStatic<typeof componentSchema> {}

/** Schema of a record in JSON, in which the manifest's binary files are `{"base64": "..."}`. */
export const functionRecordSchema = Type.Object(
  {
    /** What calls name. */
    name: nameSchema,
    /** Counts the deploys of the function, from 1 on. */
    version: Type.Integer({ minimum: 1 }),
    /** SHA-256 of the module's binary, hex. */
    digest: text('^[0-9a-f]{64}$', "SHA-256 of the module's binary"),
    /** Size of the module's binary, in bytes. */
    sizeBytes: Type.Integer({ minimum: 0 }),
    /** When it was deployed, in ISO 8601. */
    deployedAt: Type.String({ format: 'date-time' }),
    /** The manifest as it was given. */
    manifest: Type.Unsafe<Manifest>(manifestSchema),
    /** The limits in force: the manifest's, and the defaults where it names none. */
    limits: allLimitsSchema,
    /** What its deploy found out. */
    report: Type.Unsafe<DeployReport>(deployReportSchema),
    /** Why its code counts units; absent where it does not. */
    budget: Type.Optional(oneOf(BUDGET_REASONS)),
    /** What a component is and exports; absent for a core module. */
    component: Type.Optional(Type.Unsafe<ComponentRecord>(componentSchema)),
    /** Versions `rollback` can return to, newest first. */
    previous: Type.Array(Type.Integer(), { description: 'versions a rollback can return to, newest first' }),
  },
  { title: 'FunctionRecord' },
);

/** A deployed function as `list` shows it. */
export interface FunctionRecord extends ReadonlyStatic<typeof functionRecordSchema> {}
