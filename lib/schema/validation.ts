/** Values held against schemas, and what is wrong with one: the field, what it takes, what was given. */

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';

/** What does not fit. */
export interface Misfit {
  /** Path of the field, with dots; empty for the whole value. */
  readonly field: string;
  readonly kind: 'value' | 'missing' | 'unknown' | 'name';
  /** What the field takes, in words; of an unknown one, the fields that are known. */
  readonly expected: string;
  /** What was given: a value, or the name of a field. */
  readonly got: unknown;
}

/** Finds what is wrong with a value; undefined where it fits. */
export type FindMisfit = (value: unknown) => Misfit | undefined;

/** The name of a class of which a value must be, as a keyword of a schema. */
const CLASSES: Readonly<Record<string, new () => unknown>> = { AbortSignal };

let ajv: Ajv | undefined;

function sharedAjv(): Ajv {
  if (ajv !== undefined) return ajv;
  // `verbose` hands each error the value it is about, which the message shows. That the schemas are schemas is tested.
  ajv = new Ajv({ verbose: true, strict: false, validateSchema: false });
  ajv.addKeyword({
    keyword: 'instanceOf',
    validate: (name: string, value: unknown) => value instanceof (CLASSES[name] as new () => unknown),
  });
  ajv.addKeyword({
    keyword: 'methods',
    validate: (names: readonly string[], value: unknown) =>
      ['object', 'function'].includes(typeof value) &&
      value !== null &&
      names.every((name) => typeof (value as never)[name] === 'function'),
  });
  ajv.addKeyword({ keyword: 'callable', validate: (_: true, value: unknown) => typeof value === 'function' });
  return ajv;
}

/** A check against a schema, which is compiled when it is first used. */
export function createCheck(schema: TSchema): FindMisfit {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= sharedAjv().compile(schema);
    if (validate(value)) return undefined;
    // A union's own error follows those of its members; it alone says what all of them would take.
    return toMisfit((validate.errors as ErrorObject[]).at(-1) as ErrorObject);
  };
}

function toMisfit(error: ErrorObject): Misfit {
  const parent = error.instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const schema = error.parentSchema as { readonly properties?: Readonly<Record<string, TSchema>> };
  const within = (key: string): string => (parent === '' ? key : `${parent}.${key}`);
  switch (error.keyword) {
    case 'additionalProperties': {
      const { additionalProperty: key } = error.params as { readonly additionalProperty: string };
      const known = Object.keys(schema.properties ?? {}).filter((each) => each !== '$schema');
      return { kind: 'unknown', field: within(key), expected: known.join(', '), got: (error.data as never)[key] };
    }
    case 'required': {
      const { missingProperty: key } = error.params as { readonly missingProperty: string };
      return { kind: 'missing', field: within(key), expected: wordsOf(schema.properties?.[key]), got: undefined };
    }
    case 'propertyNames': {
      const { propertyName } = error.params as { readonly propertyName: string };
      return { kind: 'name', field: parent, expected: wordsOf(schema), got: propertyName };
    }
    default:
      return { kind: 'value', field: parent, expected: wordsOf(schema), got: error.data };
  }
}

function wordsOf(schema: unknown): string {
  const { description, type } = (schema ?? {}) as { readonly description?: string; readonly type?: string };
  return description ?? (type === undefined ? 'present' : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`);
}

/** A misfit of a manifest in one sentence. */
export function describeMisfit({ kind, field, expected, got }: Misfit): string {
  if (kind === 'unknown') return `unknown field "${field}": expected one of ${expected}`;
  const what = field === '' ? 'the manifest' : `field "${field}"`;
  const given = kind === 'missing' ? 'nothing' : kind === 'name' ? `the name ${JSON.stringify(got)}` : showValue(got);
  return `${what} must be ${expected}, got ${given}`;
}

/** A value as messages show it: its JSON, cut where it is long, and its kind. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const json = JSON.stringify(value) ?? typeof value;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
  return `${json.length > 80 ? `${json.slice(0, 77)}...` : json} (${kind})`;
}
