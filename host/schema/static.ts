/** The type that a schema stands for. */

import type { Static, TArray, TObject, TOptional, TProperties, TSchema, TUnion, TUnsafe } from 'typebox';

/**
 * What a schema takes: `Static` of typebox, but read-only throughout, and with the comments of all fields, of which `Static`
 * loses those of required ones. What `Type.Unsafe` gives a name keeps it.
 */
export type ReadonlyStatic<Schema extends TSchema> =
  Schema extends TUnsafe<infer Named>
    ? Named
    : Schema extends TObject<infer Properties>
      ? Fields<Properties>
      : Schema extends TArray<infer Item>
        ? readonly ReadonlyStatic<Item>[]
        : Schema extends TUnion<infer Members>
          ? ReadonlyStatic<Members[number]>
          : Static<Schema>;

type OptionalKeys<Properties extends TProperties> = {
  [Key in keyof Properties]: Properties[Key] extends TOptional ? Key : never;
}[keyof Properties];

type RequiredKeys<Properties extends TProperties> = Exclude<keyof Properties, OptionalKeys<Properties>>;

type Fields<Properties extends TProperties> = Flat<
  {
    readonly [Key in keyof Pick<Properties, RequiredKeys<Properties>>]: ReadonlyStatic<Properties[Key]>;
  } & {
    readonly [Key in keyof Pick<Properties, OptionalKeys<Properties>>]?: ReadonlyStatic<Properties[Key]>;
  }
>;

/** The members of an intersection as one object, which editors show as such. */
type Flat<T> = { [Key in keyof T]: T[Key] } & {};
