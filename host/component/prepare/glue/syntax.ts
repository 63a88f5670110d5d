/** The syntax tree of glue, and the few questions asked of it. Source: github.com/estree/estree. */

import { parse, parseExpressionAt, type Options } from 'acorn';

/** A node as the walks here see it: any field may be there. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly name?: string;
  readonly value?: unknown;
  readonly operator?: string;
  readonly async?: boolean;
  readonly generator?: boolean;
  readonly computed?: boolean;
  readonly shorthand?: boolean;
  readonly kind?: string;
  readonly key?: Node;
  readonly meta?: Node;
  readonly object?: Node;
  readonly property?: Node;
  readonly left?: Node;
  readonly right?: Node;
  readonly callee?: Node;
  readonly expression?: Node | boolean;
  readonly id?: Node | null;
  readonly param?: Node | null;
  readonly superClass?: Node | null;
  readonly params?: readonly Node[];
  readonly arguments?: readonly Node[];
  readonly properties?: readonly Node[];
}

/** Thrown for glue of a shape that is not known: it must not run. */
export class UnknownShape extends Error {
  /** `what` is the part that is not known. */
  constructor(what = 'glue') {
    super(`the transpiler made code of an unknown shape: ${what}`);
    this.name = 'UnknownShape';
  }
}

const OPTIONS: Options = { ecmaVersion: 'latest', sourceType: 'script' };

/** Parses a script. @throws SyntaxError */
export function parseGlue(source: string): readonly Node[] {
  return parse(source, OPTIONS).body;
}

/** A function with its parameters and its body. */
export interface FunctionNode extends Node {
  readonly params: readonly Node[];
  readonly body: Node;
}

/** Parses what is one function and nothing else. @throws SyntaxError, UnknownShape */
export function parseFunction(source: string): FunctionNode {
  const found: Node = parseExpressionAt(source, 0, OPTIONS);
  const isWhole = found.start === 0 && found.end === source.length;
  if (found.type !== 'FunctionExpression' || !isWhole) throw new UnknownShape('no function');
  return found as FunctionNode;
}

/**
 * Calls `visit` for a node and all below it, outer ones first, each with its parents, the nearest last. It does not go into
 * those for which it answers false.
 */
export function walk(root: Node, visit: (node: Node, parents: readonly Node[]) => boolean | void): void {
  const parents: Node[] = [];
  /** Nodes to visit, the next one last; undefined stands for the end of the last parent. */
  const left: (Node | undefined)[] = [root];
  while (left.length > 0) {
    const node = left.pop();
    if (node === undefined) parents.pop();
    else if (visit(node, parents) !== false) {
      parents.push(node);
      left.push(undefined);
      // One by one: a list may be longer than a call may have arguments.
      for (const child of childrenOf(node).toReversed()) left.push(child);
    }
  }
}

/** The nodes right below one, in their order. */
export function childrenOf(node: Node): Node[] {
  const found: Node[] = [];
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) for (const each of value as readonly unknown[]) addNode(each, found);
    else addNode(value, found);
  }
  return found;
}

function addNode(value: unknown, found: Node[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (typeof (value as { type?: unknown }).type === 'string') found.push(value as Node);
}

/** The class and the method's name of `Class.prototype.name`, which an assignment is made to. */
export function methodOf(node: Node | undefined): { readonly owner: Node; readonly method: Node } | undefined {
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
export function isIndex(key: Node): boolean {
  if (key.type === 'UpdateExpression') return true;
  if (isNumber(key)) return true;
  if (key.type !== 'BinaryExpression') return false;
  if (NUMERIC.has(key.operator ?? '')) return true;
  return key.operator === '+' && [key.left, key.right].some((side) => side !== undefined && isNumber(side));
}

function isNumber(node: Node): boolean {
  return node.type === 'Literal' && typeof node.value === 'number' && Number.isInteger(node.value);
}

/** Whether a member expression is what an assignment, an update, a deletion or a pattern changes. */
export function isWritten(member: Node, parents: readonly Node[]): boolean {
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
