/** What glue may name: what it binds itself, and what its realm gives it. */

import { BUILTINS } from './builtins.ts';
import { METHOD_GUARD, READ_GUARD, WRITE_GUARD } from './contract.ts';
import type { Node } from './syntax.ts';

const NAME = /^[A-Za-z_$][\w$]*$/;
/** Of the realm of the host, or with functions that are allowed in one form only: named where they are used, never passed on. */
export const NAMED_ONLY: ReadonlySet<string> = new Set(['Object', 'TextDecoder', 'TextEncoder']);
/** What Node gives to CommonJS modules. */
const OF_MODULES: ReadonlySet<string> = new Set(['require', 'module', 'exports', '__filename', '__dirname']);
/** The guards, and how many arguments each takes. */
const GUARDS: ReadonlyMap<string, number> = new Map([
  [READ_GUARD, 1],
  [WRITE_GUARD, 1],
  [METHOD_GUARD, 3],
]);

/** Names that any scope of the glue binds, and that are used as variables anywhere. */
export interface Names {
  readonly bound: Set<string>;
  readonly used: Set<string>;
}

/** Why a name may not stand where it does, or undefined; takes note of what is bound and used. */
export function reasonAgainstIdentifier(node: Node, parents: readonly Node[], names: Names): string | undefined {
  const { name = '' } = node;
  const parent = parents.at(-1) as Node;
  if (!NAME.test(name)) return 'it has an unknown name';
  if (parent.type === 'MetaProperty') return undefined;
  // Names of properties and labels are no variables.
  const isProperty = parent.type === 'MemberExpression' && parent.property === node && parent.computed !== true;
  const isKey = parent.key === node && parent.computed !== true && parent.shorthand !== true;
  if (isProperty || isKey || /^(?:Labeled|Break|Continue)Statement$/.test(parent.type)) return undefined;
  names.used.add(name);
  if (isBinding(node, parents)) names.bound.add(name);
  const takes = GUARDS.get(name);
  if (takes !== undefined && !isGuardCall(node, parent, takes)) return 'a guard is used otherwise';
  if (!NAMED_ONLY.has(name)) return undefined;
  const isNamed =
    (parent.type === 'MemberExpression' && parent.object === node && parent.computed !== true) ||
    (parent.type === 'NewExpression' && parent.callee === node);
  return isNamed ? undefined : `${name} is passed on`;
}

function isGuardCall(node: Node, parent: Node, takes: number): boolean {
  const { type, callee, arguments: given = [] } = parent;
  const isPlain = given.every((argument) => argument.type !== 'SpreadElement');
  return type === 'CallExpression' && callee === node && given.length === takes && isPlain;
}

/** Whether an identifier stands where a name is bound. */
function isBinding(node: Node, parents: readonly Node[]): boolean {
  let below = node;
  for (let at = parents.length - 1; at >= 0; at--) {
    const parent = parents[at] as Node;
    const isPattern =
      parent.type === 'ArrayPattern' ||
      parent.type === 'ObjectPattern' ||
      parent.type === 'RestElement' ||
      (parent.type === 'AssignmentPattern' && parent.left === below) ||
      (parent.type === 'Property' && parent.value === below && parents[at - 1]?.type === 'ObjectPattern');
    if (!isPattern) {
      if (parent.type === 'VariableDeclarator' || parent.type.startsWith('Class')) return parent.id === below;
      if (parent.type === 'CatchClause') return parent.param === below;
      return parent.id === below || (parent.params?.includes(below) ?? false);
    }
    below = parent;
  }
  return false;
}

/** Why the names of a whole glue may not be, or undefined. */
export function reasonAgainstNames({ bound, used }: Names): string | undefined {
  for (const name of used) {
    // A name that is nobody's is a ReferenceError when it is come to: jco leaves some.
    const isSomebodys = name in globalThis || OF_MODULES.has(name);
    if (isSomebodys && !bound.has(name) && !BUILTINS.has(name)) return `it uses ${name}, which is not its own`;
  }
  for (const name of bound) if (BUILTINS.has(name)) return `it has another ${name}`;
  return undefined;
}
