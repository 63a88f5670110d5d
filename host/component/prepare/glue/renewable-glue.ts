/**
 * Rewrites the glue so that its state can be made anew without its code. jco's `instantiate` is one function whose scope
 * holds classes and functions, which never change, among variables that do. A glue that is called again for each call of
 * a guest would make new classes each time, which V8 then compiles for again: instead classes and functions move to a
 * factory, called once per instance, and what `instantiate` still does is run all the other statements.
 */

import { type Node, parseFunction, UnknownShape } from './syntax.ts';

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

/** The same for any glue, renewable or not: a script whose value is a factory of `instantiate`. */
export function plainFactory(instantiate: string): string {
  return `(function(){return ${instantiate}})`;
}

/** A factory whose `instantiate` may be called again and again; of glue in an unknown shape, one that makes all anew. */
export function renewableFactory(instantiate: string): string {
  try {
    return rewrite(instantiate);
  } catch (error) {
    if (error instanceof UnknownShape || error instanceof SyntaxError) return plainFactory(instantiate);
    throw error;
  }
}

function rewrite(source: string): string {
  const glue = parseFunction(source);
  const text: Text = ({ start, end }) => source.slice(start, end);
  const names: string[] = [];
  const once: string[] = [];
  const each: string[] = [];
  const parameters = glue.params.map((parameter, at) => readParameter(parameter, at, names, text));
  for (const node of (glue.body as Block).body) {
    if (node.type === 'FunctionDeclaration') once.push(text(node));
    else if (node.type === 'ClassDeclaration') splitClass(node as Class, once, each, text);
    else if (node.type === 'VariableDeclaration') splitDeclaration(node as Declaration, { names, once, each, text });
    else each.push(text(node));
  }
  const variables = names.length === 0 ? '' : `let ${names.join(',')};`;
  return `(function(){${variables}${once.join('\n')}\nreturn function(...$given){${parameters.join('')}${each.join('\n')}}})`;
}

type Text = (node: Node) => string;

function readParameter(parameter: Node, at: number, names: string[], text: Text): string {
  const { left, right } = parameter;
  const isDefaulted = parameter.type === 'AssignmentPattern' && left !== undefined && right !== undefined;
  const id = isDefaulted ? left : parameter;
  if (id.type !== 'Identifier') throw new UnknownShape();
  names.push(text(id));
  return `${text(id)}=$given[${at}]${isDefaulted ? `??(${text(right)})` : ''};`;
}

/** A class without its static fields, which are set each time: among them are counters. */
function splitClass(node: Class, once: string[], each: string[], text: Text): void {
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
    each.push(`${text(node.id)}.${text(key)}=${initial};`);
    body += text({ type: '', start: end, end: member.start });
    ({ end } = member);
  }
  once.push(body + text({ type: '', start: end, end: node.end }));
}

interface Parts {
  readonly names: string[];
  readonly once: string[];
  readonly each: string[];
  readonly text: Text;
}

function splitDeclaration(node: Declaration, { names, once, each, text }: Parts): void {
  for (const { id, init } of node.declarations) {
    names.push(...namesOf(id, text));
    const initial = init === null ? 'undefined' : text(init);
    if (init !== null && isConstant(init)) once.push(`${text(id)}=${initial};`);
    else each.push(`(${text(id)}=${initial});`);
  }
}

/** Functions, and symbols, which resources of a guest carry as keys: new ones would be new shapes to V8. */
function isConstant(init: Node): boolean {
  if (init.type === 'ArrowFunctionExpression' || init.type === 'FunctionExpression') return true;
  const { callee } = init;
  return init.type === 'CallExpression' && callee?.type === 'Identifier' && callee.name === 'Symbol';
}

/** The names that a pattern binds. */
function namesOf(pattern: Node, text: Text): string[] {
  if (pattern.type === 'Identifier') return [text(pattern)];
  if (pattern.type !== 'ObjectPattern') throw new UnknownShape();
  return (pattern.properties ?? []).flatMap((property) => {
    const { type, value } = property as Node & { readonly value?: Node };
    if (type !== 'Property' || value?.type !== 'Identifier') throw new UnknownShape();
    return [text(value)];
  });
}
