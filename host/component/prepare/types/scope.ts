/**
 * What the exports of a component are: its definitions followed through aliases, instances and nested components, as far
 * as is asked for and no further.
 */

import { NebulaError } from '../../../errors.ts';
import type { Definition, ExternType, FunctionType, Reference, Sort, TypeDefinition, ValueType } from './syntax.ts';

/** Something an index space holds. */
export type Item =
  | { readonly kind: 'func'; readonly type: Item }
  | { readonly kind: 'type'; readonly type: TypeDefinition; readonly scope: Scope }
  /** A resource by the import or export that brings it, such as `wasi:http/types@0.2.0#fields`. */
  | { readonly kind: 'resource'; readonly name: string }
  | { readonly kind: 'instance'; readonly get: (name: string) => Item | undefined }
  | { readonly kind: 'component'; readonly definitions: readonly Definition[]; readonly scope: Scope }
  | { readonly kind: 'other' };

type Lazy = () => Item;

const OTHER: Item = { kind: 'other' };
const OTHERS: Lazy = () => OTHER;

/** Definitions that may be made in following: what takes more is nobody's program. */
const MOST_STEPS = 2_000_000;
/** References from one to another that may be followed at once. */
const MOST_DEEP = 500;

/** Counts work, over all scopes of a component. */
class Effort {
  #steps = 0;
  #depth = 0;

  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) refuse();
  }

  deeper<T>(run: () => T): T {
    if (++this.#depth > MOST_DEEP) refuse();
    const found = run();
    this.#depth--;
    return found;
  }
}

function refuse(): never {
  throw new NebulaError('MODULE_INVALID', { detail: 'its types refer to each other too often', offset: 'unknown' });
}

/**
 * The index spaces of one component, instance or type. References are followed when they are asked for. @throws
 * NebulaError MODULE_INVALID for what takes more than a real component does
 */
export class Scope {
  readonly #spaces: Readonly<Record<Exclude<Sort, 'core' | 'value'>, Lazy[]>> = {
    func: [],
    type: [],
    component: [],
    instance: [],
  };
  readonly #exports: Map<string, Lazy> = new Map();
  readonly #outer: Scope | undefined;
  readonly #effort: Effort;
  /** Of an import: what an instantiation gives; where nothing is given it is what its type says. */
  readonly #given: ReadonlyMap<string, Lazy>;
  /** What names of resources begin with. */
  readonly #prefix: string;

  constructor(
    definitions: readonly Definition[],
    outer?: Scope,
    given: ReadonlyMap<string, Lazy> = new Map(),
    prefix = '',
  ) {
    this.#outer = outer;
    this.#effort = outer === undefined ? new Effort() : outer.#effort;
    this.#given = given;
    this.#prefix = prefix;
    this.#effort.spend(definitions.length + 1);
    for (const definition of definitions) this.#define(definition);
  }

  /** What it exports under a name. */
  get(name: string): Item | undefined {
    return this.#exports.get(name)?.();
  }

  /** A type by its index, or as it is. */
  typeOf(type: ValueType | undefined): Item {
    return type === undefined || 'primitive' in type ? OTHER : this.#at('type', type.index)();
  }

  at({ sort, index }: Reference): Item {
    return this.#at(sort, index)();
  }

  #define(definition: Definition): void {
    const spaces = this.#spaces;
    switch (definition.kind) {
      case 'type': {
        const { type } = definition;
        spaces.type.push(() => ({ kind: 'type', type, scope: this }));
        return;
      }
      case 'component': {
        const { definitions } = definition;
        spaces.component.push(() => ({ kind: 'component', definitions, scope: this }));
        return;
      }
      case 'instantiate':
        spaces.instance.push(this.#lazy(() => this.#instantiate(definition)));
        return;
      case 'bundle': {
        const exported = new Map(definition.exports.map(([name, reference]) => [name, this.#referred(reference)]));
        spaces.instance.push(() => ({ kind: 'instance', get: (name) => exported.get(name)?.() }));
        return;
      }
      case 'alias': {
        const { sort, instance, name } = definition;
        this.#add(
          sort,
          this.#lazy(() => exportOf(this.#at('instance', instance)(), name)),
        );
        return;
      }
      case 'outer': {
        const { sort, scopes, index } = definition;
        this.#add(
          sort,
          this.#lazy(() => this.#scopeAt(scopes).#at(sort, index)()),
        );
        return;
      }
      case 'lift': {
        const type = this.#at('type', definition.type);
        spaces.func.push(this.#lazy(() => ({ kind: 'func', type: type() })));
        return;
      }
      case 'import':
      case 'declare':
      case 'export':
        this.#defineNamed(definition);
        return;
      default:
        definition satisfies never;
    }
  }

  #defineNamed(definition: Definition & { readonly kind: 'import' | 'declare' | 'export' }): void {
    const { kind, name, type } = definition;
    if (kind === 'export') {
      const { reference } = definition;
      const item = type === undefined ? this.#referred(reference) : this.#declared(name, type, reference);
      this.#exports.set(name, item);
      this.#add(reference.sort, item);
      return;
    }
    const given = kind === 'import' ? this.#given.get(name) : undefined;
    const item = given ?? this.#declared(name, definition.type);
    if (kind === 'declare') this.#exports.set(name, item);
    this.#add(definition.type.sort, item);
  }

  /** What a declaration says; of a type that is a resource of its own, what is behind it where that is known. */
  #declared(name: string, type: ExternType, reference?: Reference): Lazy {
    const { sort, index } = type;
    if (index === undefined) {
      if (reference !== undefined) return this.#referred(reference);
      const resource: Item = { kind: 'resource', name: `${this.#prefix}${name}` };
      return () => resource;
    }
    if (sort === 'type') return this.#at('type', index);
    return this.#lazy(() => {
      const declared = this.#at('type', index)();
      if (sort === 'func') return { kind: 'func', type: declared };
      if (sort !== 'instance' || declared.kind !== 'type' || declared.type.form !== 'instance') return OTHER;
      const { type: definition, scope } = declared;
      const instance = new Scope(definition.definitions, scope, new Map(), `${name}#`);
      return { kind: 'instance', get: (exported) => instance.get(exported) };
    });
  }

  #instantiate({ component, given }: Definition & { readonly kind: 'instantiate' }): Item {
    const found = this.#at('component', component)();
    if (found.kind !== 'component') return OTHER;
    const values = new Map(given.map(([name, reference]) => [name, this.#referred(reference)]));
    const scope = new Scope(found.definitions, found.scope, values, this.#prefix);
    return { kind: 'instance', get: (name) => scope.get(name) };
  }

  #scopeAt(count: number): Scope {
    return count === 0 || this.#outer === undefined ? this : this.#outer.#scopeAt(count - 1);
  }

  #referred({ sort, index }: Reference): Lazy {
    return this.#lazy(() => this.#at(sort, index)());
  }

  /** The entry of an index space that is there already: what refers to itself is not valid, and has none. */
  #at(sort: Sort, index: number): Lazy {
    if (sort === 'core' || sort === 'value') return OTHERS;
    return this.#spaces[sort][index] ?? OTHERS;
  }

  #add(sort: Sort, item: Lazy): void {
    if (sort !== 'core' && sort !== 'value') this.#spaces[sort].push(item);
  }

  #lazy(make: Lazy): Lazy {
    let made: Item | undefined;
    return () => (made ??= this.#effort.deeper(make));
  }
}

function exportOf(item: Item, name: string): Item {
  return (item.kind === 'instance' ? item.get(name) : undefined) ?? OTHER;
}

/** A function and its type, or undefined for anything else. */
export function functionOf(item: Item | undefined): { readonly type: FunctionType; readonly scope: Scope } | undefined {
  if (item?.kind !== 'func' || item.type.kind !== 'type' || item.type.type.form !== 'func') return undefined;
  return { type: item.type.type, scope: item.type.scope };
}
