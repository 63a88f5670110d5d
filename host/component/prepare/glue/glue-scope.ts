/** A scope of the glue, taken apart: what is made once, and the statements that make its state. */

import { type FunctionNode, type Node, UnknownShape, walk } from './syntax.ts';

/** A statement that runs for each state; of a declaration, one for each of its variables. */
export interface Statement {
  readonly node: Node;
  /** Variables that it declares. */
  readonly names: readonly string[];
  readonly text: string;
  /** What puts the same state back where the one before is there, at less cost. */
  readonly again?: string | undefined;
}

/** A scope's variables, what is made once, and what is run each time, in order. */
export interface Scope {
  readonly names: string[];
  readonly once: readonly string[];
  readonly each: readonly Statement[];
}

interface Declarator extends Node {
  readonly id: Node;
  readonly init: Node | null;
}

interface Declaration extends Node {
  readonly declarations: readonly Declarator[];
}

interface Member extends Node {
  readonly static?: boolean;
  readonly value?: Node | null;
}

interface Class extends Node {
  readonly id: Node;
  readonly body: { readonly body: readonly Member[] };
}

interface Block extends Node {
  readonly body: readonly Node[];
}

type Text = (node: Pick<Node, 'start' | 'end'>) => string;

/** The body of a function, taken apart. @throws UnknownShape */
export function statementsOf(fn: FunctionNode, source: string): Scope {
  const text: Text = ({ start, end }) => source.slice(start, end);
  const [names, once, each]: [string[], string[], Statement[]] = [[], [], []];
  for (const node of (fn.body as Block).body) {
    if (node.type === 'FunctionDeclaration') once.push(text(node));
    else if (node.type === 'ClassDeclaration') splitClass(node as Class, once, each, text);
    else if (node.type === 'VariableDeclaration') splitDeclaration(node as Declaration, { names, once, each, text });
    else {
      refuseVariables(node);
      each.push({ node, names: [], text: text(node) });
    }
  }
  return { names, once, each };
}

/** `var` in a block would be a variable of the function's, which a function of its own does not see. */
function refuseVariables(statement: Node): void {
  walk(statement, (node) => {
    if (node.type === 'VariableDeclaration' && node.kind === 'var') throw new UnknownShape('a variable in a block');
    return !/Function/.test(node.type);
  });
}

/** A class without its static fields, which are set each time: among them are counters. */
function splitClass(node: Class, once: string[], each: Statement[], text: Text): void {
  if (node.superClass !== null) throw new UnknownShape();
  let body = '';
  let end = node.start;
  for (const member of node.body.body) {
    if (member.type === 'StaticBlock') throw new UnknownShape();
    if (member.type !== 'PropertyDefinition' || member.static !== true) continue;
    const { key, value, computed } = member;
    if (key?.type !== 'Identifier' || computed === true) throw new UnknownShape();
    const initial = value === null || value === undefined ? 'undefined' : text(value);
    if (/\bthis\b/.test(initial)) throw new UnknownShape();
    each.push({ node: member, names: [], text: `${text(node.id)}.${text(key)}=${initial};` });
    body += text({ start: end, end: member.start });
    ({ end } = member);
  }
  once.push(body + text({ start: end, end: node.end }));
}

interface Parts {
  readonly names: string[];
  readonly once: string[];
  readonly each: Statement[];
  readonly text: Text;
}

function splitDeclaration(node: Declaration, { names, once, each, text }: Parts): void {
  for (const declarator of node.declarations) {
    const { id, init } = declarator;
    const own = namesOf(id, text);
    names.push(...own);
    const initial = init === null ? 'undefined' : text(init);
    if (init !== null && isConstant(init)) {
      once.push(`${text(id)}=${initial};`);
      continue;
    }
    const bound = init === null ? undefined : boundCall(init, text);
    if (bound !== undefined) {
      once.push(`${text(id)}=${bound};`);
      continue;
    }
    const again = init === null ? undefined : putBack(text(id), init, text);
    each.push({ node: declarator, names: own, text: `(${text(id)}=${initial});`, again });
  }
}

/** Functions, and symbols, which resources of a guest carry as keys: new ones would be new shapes to V8. */
function isConstant(init: Node): boolean {
  if (init.type === 'ArrowFunctionExpression' || init.type === 'FunctionExpression') return true;
  const { callee } = init;
  return init.type === 'CallExpression' && callee?.type === 'Identifier' && callee.name === 'Symbol';
}

/**
 * What a function does that is bound to values of the scope: `make.bind(null, table)` as `(...$given)=>make(table,...$given)`. Core
 * modules import it, and call it still when the table is another.
 */
function boundCall({ type, callee, arguments: given = [] }: Node, text: Text): string | undefined {
  const [self, ...values] = given;
  const isBound =
    type === 'CallExpression' &&
    callee?.object?.type === 'Identifier' &&
    callee.computed !== true &&
    callee.property?.name === 'bind';
  if (!isBound || self?.type !== 'Literal' || values.length === 0) return undefined;
  if (values.some((value) => value.type !== 'Identifier')) return undefined;
  return `(...$given)=>${text(callee.object)}(${values.map(text).join(',')},...$given)`;
}

/** How a variable whose value nobody else holds is put back: an empty collection that still is one, a global's number. */
function putBack(name: string, init: Node, text: Text): string | undefined {
  const { test, consequent } = init as { readonly test?: Node; readonly consequent?: Node };
  if (init.type === 'ConditionalExpression' && test !== undefined && text(test) === 'globalThis.WebAssembly')
    return consequent === undefined ? undefined : putBack(name, consequent, text);
  if (init.type !== 'NewExpression') return undefined;
  const given = init.arguments ?? [];
  if (/^(?:Map|Set)$/.test(init.callee?.name ?? '') && given.length === 0)
    return `${name}.size===0||(${name}=${text(init)});`;
  const [, value] = given;
  const isGlobal = init.callee?.property?.name === 'Global' && given.length === 2 && typeof value?.value === 'number';
  return isGlobal ? `${name}.value=${String(value.value)};` : undefined;
}

/** The names that a pattern binds. */
export function namesOf(pattern: Node, text: Text): string[] {
  if (pattern.type === 'Identifier') return [text(pattern)];
  if (pattern.type !== 'ObjectPattern') throw new UnknownShape();
  return (pattern.properties ?? []).flatMap((property) => {
    const { type, value } = property as Node & { readonly value?: Node };
    if (type !== 'Property' || value?.type !== 'Identifier') throw new UnknownShape();
    return [text(value)];
  });
}
