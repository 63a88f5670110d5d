/** What a component's binary says about types: definitions in their order. Source: component model, design/mvp/Binary.md. */

/** Index spaces of a component. */
export type Sort = 'core' | 'func' | 'value' | 'type' | 'component' | 'instance';

/** A type by its index, or a primitive one by its code. */
export type ValueType = { readonly index: number } | { readonly primitive: number };

/** What a function takes and answers. */
export interface FunctionType {
  readonly form: 'func';
  readonly parameters: readonly ValueType[];
  readonly result: ValueType | undefined;
}

/** A type as far as entries depend on it; `other` is any other type of values. */
export type TypeDefinition =
  | FunctionType
  | { readonly form: 'own'; readonly index: number }
  | { readonly form: 'result'; readonly ok: ValueType | undefined; readonly error: ValueType | undefined }
  | { readonly form: 'instance' | 'component'; readonly definitions: readonly Definition[] }
  | { readonly form: 'resource' }
  | { readonly form: 'other' };

/** What an import or export is declared to be; `index` is a type's, but for a fresh resource. */
export type ExternType =
  | { readonly sort: Exclude<Sort, 'type'>; readonly index: number }
  | { readonly sort: 'type'; readonly index: number | undefined };

/** A definition by its place in an index space. */
export interface Reference {
  readonly sort: Sort;
  readonly index: number;
}

/** Something under a name. */
export type Named<T> = readonly [name: string, value: T];

/** One definition: each but exports adds to an index space. */
export type Definition =
  | { readonly kind: 'type'; readonly type: TypeDefinition }
  | { readonly kind: 'component'; readonly definitions: readonly Definition[] }
  | { readonly kind: 'instantiate'; readonly component: number; readonly given: readonly Named<Reference>[] }
  | { readonly kind: 'bundle'; readonly exports: readonly Named<Reference>[] }
  | { readonly kind: 'alias'; readonly sort: Sort; readonly instance: number; readonly name: string }
  | { readonly kind: 'outer'; readonly sort: Sort; readonly scopes: number; readonly index: number }
  | { readonly kind: 'lift'; readonly type: number }
  | { readonly kind: 'import'; readonly name: string; readonly type: ExternType }
  | { readonly kind: 'declare'; readonly name: string; readonly type: ExternType }
  | {
      readonly kind: 'export';
      readonly name: string;
      readonly reference: Reference;
      readonly type: ExternType | undefined;
    };
