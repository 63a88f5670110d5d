/** The syntax tree of glue, and the few questions asked of it. Source: github.com/estree/estree. */

import { parse } from 'acorn';

/** A node as the walks here see it: any field may be there. */
export interface GlueNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly name?: string;
  readonly value?: unknown;
  readonly operator?: string;
  readonly async?: boolean;
  readonly computed?: boolean;
  readonly shorthand?: boolean;
  readonly directive?: string;
  readonly kind?: string;
  readonly raw?: string;
  readonly key?: GlueNode;
  readonly meta?: GlueNode;
  readonly object?: GlueNode;
  readonly property?: GlueNode;
  readonly left?: GlueNode;
  readonly right?: GlueNode;
  readonly callee?: GlueNode;
  readonly argument?: GlueNode | null;
  readonly expression?: GlueNode | boolean;
  readonly id?: GlueNode | null;
  readonly param?: GlueNode | null;
  readonly superClass?: GlueNode | null;
  readonly params?: readonly GlueNode[];
  readonly arguments?: readonly GlueNode[];
  readonly elements?: readonly (GlueNode | null)[];
  readonly properties?: readonly GlueNode[];
}

/** Called in a computed access whose key is not known: it lets no key through that leads to what made an object. */
export const READ_GUARD = '$key';
/** The same where something is written. */
export const WRITE_GUARD = '$slot';
/** Gives a class of the glue's own a method: `$method(Class, 'name', function)`. */
export const METHOD_GUARD = '$method';

/** Parses a script. @throws SyntaxError */
export function parseGlue(source: string): readonly GlueNode[] {
  return parse(source, { ecmaVersion: 'latest', sourceType: 'script' }).body;
}

/** Calls `visit` for a node and all below it, each with its parents, the nearest last. */
export function walkGlue(root: GlueNode, visit: (node: GlueNode, parents: readonly GlueNode[]) => void): void {
  const parents: GlueNode[] = [];
  const step = (node: GlueNode): void => {
    visit(node, parents);
    parents.push(node);
    for (const key in node) {
      const below: unknown = node[key as keyof GlueNode];
      if (Array.isArray(below)) {
        for (const each of below as readonly unknown[]) if (isNode(each)) step(each);
      } else if (isNode(below)) step(below);
    }
    parents.pop();
  };
  step(root);
}

function isNode(value: unknown): value is GlueNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** The class and the method's name of `Class.prototype.name`, which an assignment is made to. */
export function methodOf(
  node: GlueNode | undefined,
): { readonly owner: GlueNode; readonly method: GlueNode } | undefined {
  const { object, property: method } = node ?? {};
  if (node?.type !== 'MemberExpression' || object?.type !== 'MemberExpression' || object.computed === true)
    return undefined;
  const { object: owner, property: prototype } = object;
  if (owner?.type !== 'Identifier' || prototype?.name !== 'prototype' || method === undefined) return undefined;
  const isName = node.computed === true ? method.type === 'Literal' : method.type === 'Identifier';
  return isName ? { owner, method } : undefined;
}

/** Operators whose value is a number or a bigint, whatever they are given. */
const NUMERIC: ReadonlySet<string> = new Set(['-', '*', '/', '%', '**', '<<', '>>', '>>>', '|', '&', '^']);

/** Whether a computed key is known to be an index: no name that JavaScript has taken begins or ends with a digit. */
export function isIndex(key: GlueNode): boolean {
  if (key.type === 'UpdateExpression') return true;
  if (isNumber(key)) return true;
  if (key.type !== 'BinaryExpression') return false;
  if (NUMERIC.has(key.operator ?? '')) return true;
  return key.operator === '+' && [key.left, key.right].some((side) => side !== undefined && isNumber(side));
}

function isNumber(node: GlueNode): boolean {
  return node.type === 'Literal' && typeof node.value === 'number' && Number.isInteger(node.value);
}

/** Whether a member expression is what an assignment, an update, a deletion or a pattern changes. */
export function isWritten(member: GlueNode, parents: readonly GlueNode[]): boolean {
  const [outer, parent] = [parents.at(-2), parents.at(-1)];
  if (parent === undefined) return false;
  switch (parent.type) {
    case 'AssignmentExpression':
    case 'AssignmentPattern':
    case 'ForOfStatement':
    case 'ForInStatement':
      return parent.left === member;
    case 'UpdateExpression':
    case 'RestElement':
    case 'ArrayPattern':
      return true;
    case 'UnaryExpression':
      return parent.operator === 'delete';
    case 'ChainExpression':
      return outer?.type === 'UnaryExpression' && outer.operator === 'delete';
    case 'Property':
      return outer?.type === 'ObjectPattern' && parent.value === member;
    default:
      return false;
  }
}
