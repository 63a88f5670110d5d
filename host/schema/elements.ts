/**
 * What schemas are made of. A `description` says in words what a value takes, because error messages quote it: "field X must
 * be {description}". Only `lib` loads schemas; `host` and `pools` import their types.
 */

import { Type, type TArray, type TArrayOptions, type TSchema, type TString, type TUnsafe } from 'typebox';

/** Options of an object that refuses fields it does not name. */
export const CLOSED: { readonly additionalProperties: false } = { additionalProperties: false };

/** A text that fits a pattern. */
export function text(pattern: string, description: string): TString {
  return Type.String({ pattern, description });
}

/** One of a few names. */
export function oneOf<const Name extends string>(names: readonly Name[], description?: string): TUnsafe<Name> {
  const members = names.map((name) => Type.Literal(name));
  const words = names.map((name) => `"${name}"`);
  return Type.Unsafe<Name>(Type.Union(members, { description: description ?? `one of ${words.join(', ')}` }));
}

/** A list in which nothing occurs twice. */
export function setOf<Item extends TSchema>(item: Item, options: TArrayOptions): TArray<Item> {
  return Type.Array(item, { ...options, uniqueItems: true });
}

/** A text that a C string can hold. */
export const PLAIN_TEXT: TString = text('^[^\\u0000]*$', 'a text without NUL');

/** A path of the machine's or the guest's. */
export const PATH: TString = text('^[^\\u0000]+$', 'a path');

/** The name of what a module exports. */
export const EXPORT_NAME: TString = text('^[^\\u0000]+$', "an export's name");

/** Environment variables by name. */
export const ENVIRONMENT: TUnsafe<Readonly<Record<string, string>>> = Type.Unsafe({
  type: 'object',
  description: 'an object of texts without NUL, under names without "=" and NUL',
  propertyNames: { pattern: '^[^=\\u0000]+$', description: 'a variable name without "=" and NUL' },
  additionalProperties: PLAIN_TEXT,
});
