/**
 * Rewrites the glue so that its state can be put back without its code. jco's `instantiate` is one function whose scope
 * holds classes and functions, which never change, among variables that do, and a generator that has a scope of the same
 * kind. Glue that is called again for each call of a guest would make new classes and functions each time, which V8 then
 * compiles for again: instead they move to a factory, called once per instance, and what `instantiate` still does is run all
 * the other statements. `instantiate.renew` runs those of them that make state, and links nothing.
 */

import { statementsOf, type Statement } from './glue-scope.ts';
import { isCallOf, isLinking } from './linking.ts';
import { type FunctionNode, type Node, parseFunction, UnknownShape } from './syntax.ts';

/** The same for any glue, renewable or not: a script whose value is a factory of `instantiate`. */
export function plainFactory(instantiate: string): string {
  return `(function(){return ${instantiate}})`;
}

/**
 * A factory whose `instantiate` may be called again and again; of glue in an unknown shape, one that makes all anew. Where
 * its state can be told from what links core modules, `instantiate` has a function `renew`.
 */
export function renewableFactory(instantiate: string): string {
  for (const rewrite of [inPlace, again]) {
    try {
      return rewrite(instantiate);
    } catch (error) {
      if (!(error instanceof UnknownShape || error instanceof SyntaxError)) throw error;
    }
  }
  return plainFactory(instantiate);
}

/** Glue whose `instantiate` runs all statements that are no functions and classes. */
function again(source: string): string {
  const glue = parseFunction(source);
  const { names, once, each } = statementsOf(glue, source);
  const parameters = glue.params.map((parameter, at) => readParameter(parameter, at, names, source));
  const body = each.map(({ text }) => text).join('\n');
  return `(function(){${declared(names)}${once.join('\n')}\nreturn function(...$given){${parameters.join('')}${body}}})`;
}

/** The same with `renew`. */
function inPlace(source: string): string {
  const glue = parseFunction(source);
  const scope = statementsOf(glue, source);
  const parameters = glue.params.map((parameter, at) => readParameter(parameter, at, scope.names, source));
  const [core, imports, instantiateCore] = glue.params.map(nameOf);
  if (core === undefined || imports === undefined || instantiateCore === undefined) throw new UnknownShape();
  const steps = scope.each.map((statement) => {
    const { node } = statement;
    if (isGenerator(node)) return splitGenerator(node as Generator, instantiateCore, source);
    const isLink =
      node.type === 'ReturnStatement' || isLinkOfParameters(node, core, imports) || isCallOf(node, 'runNext');
    return { ...statement, isLink, first: '' };
  });
  const inner = steps.filter((step) => step.first !== '');
  if (inner.length !== 1) throw new UnknownShape();
  const own = steps.filter(({ first }) => first === '');
  const kept = keptNames(own);
  const first = inner.map((step) => step.first).join('');
  const body = steps.map((step) => answering(step, kept, source)).join('\n');
  return (
    `(function(){let $inner,$kept;${declared(scope.names)}${scope.once.join('\n')}\n${first}\n` +
    `let $instantiate=function(...$given){${parameters.join('')}${body}};\n` +
    `$instantiate.renew=function(){${unset(own)}${renewal(own)}\n$inner.renew();${putBack(kept)}};\nreturn $instantiate})`
  );
}

interface Step extends Statement {
  /** Whether it links, and is not run again. */
  readonly isLink: boolean;
  /** What is run once for it, before the first `instantiate`. */
  readonly first: string;
}

interface Generator extends Node {
  readonly id: Node;
  readonly init: Node & { readonly callee: FunctionNode };
}

/** `steps = (function* () { ... })()` */
function isGenerator(node: Node): boolean {
  const { init } = node as { readonly init?: Node | null };
  return (
    init?.type === 'CallExpression' && init.callee?.type === 'FunctionExpression' && init.callee.generator === true
  );
}

/** A scope of its own: its functions are made once, its state is put back by `$inner.renew`. */
function splitGenerator(node: Generator, instantiateCore: string, source: string): Step {
  const generator = node.init.callee;
  if (generator.params.length > 0 || (node.init.arguments ?? []).length > 0) throw new UnknownShape();
  const { names, once, each } = statementsOf(generator, source);
  const begin = each.findIndex(({ node: statement }) => isCallOf(statement, instantiateCore));
  if (begin < 0) throw new UnknownShape();
  const steps = each.map((statement, at) => ({ ...statement, isLink: at >= begin, first: '' }));
  for (const { node: statement } of steps.slice(begin)) {
    if (!isLinking(statement, instantiateCore)) throw new UnknownShape('a statement among those that link');
  }
  const kept = keptNames(steps);
  const body = steps.map((step) => answering(step, kept, source));
  const first =
    `$inner=(function(){let $kept;${declared(names)}${once.join('\n')}\n` +
    `return {link:function*(){${body.join('\n')}},renew:function(){${unset(steps)}${renewal(steps)}${putBack(kept)}}}})();`;
  const name = source.slice(node.id.start, node.id.end);
  return { node, names: [name], text: `(${name}=$inner.link());`, isLink: true, first };
}

/** Variables that linking sets, or that have no value before: what they are then is what they are put back to. */
function keptNames(steps: readonly Step[]): string[] {
  return steps.filter((step) => step.isLink || isUnset(step)).flatMap(({ names }) => names);
}

function isUnset({ node }: Statement): boolean {
  return node.type === 'VariableDeclarator' && (node as { readonly init?: Node | null }).init === null;
}

/** The text of a statement; one that returns keeps what its own expression has linked, too. */
function answering({ node, text }: Step, names: readonly string[], source: string): string {
  const { argument } = node as { readonly argument?: Node | null };
  if (node.type !== 'ReturnStatement' || argument === undefined || argument === null) return text;
  return `let $answer=(${source.slice(argument.start, argument.end)});$kept=[${names.join(',')}];return $answer`;
}

function putBack(names: readonly string[]): string {
  return names.map((name, at) => `${name}=$kept[${at}];`).join('');
}

/** As at the beginning: statements that make state might ask. */
function unset(steps: readonly Step[]): string {
  return steps
    .filter((step) => isUnset(step))
    .map(({ text }) => text)
    .join('');
}

function renewal(steps: readonly Step[]): string {
  return steps
    .filter((step) => !step.isLink && !isUnset(step))
    .map(({ text, again: renewed }) => renewed ?? text)
    .join('\n');
}

/** `module = getCoreModule('...')` or `{ Class } = imports['...']`: the same every time. */
function isLinkOfParameters(node: Node, core: string, imports: string): boolean {
  const { init } = node as { readonly init?: Node | null };
  if (init?.type === 'CallExpression') return init.callee?.name === core;
  return init?.type === 'MemberExpression' && init.object?.name === imports;
}

/** The name of a parameter, which may have a default. */
function nameOf({ name, left }: Node): string | undefined {
  return left?.name ?? name;
}

function declared(names: readonly string[]): string {
  return names.length === 0 ? '' : `let ${names.join(',')};`;
}

function readParameter(parameter: Node, at: number, names: string[], source: string): string {
  const { left, right } = parameter;
  const isDefaulted = parameter.type === 'AssignmentPattern' && left !== undefined && right !== undefined;
  const id = isDefaulted ? left : parameter;
  if (id.type !== 'Identifier') throw new UnknownShape();
  const name = source.slice(id.start, id.end);
  names.push(name);
  return `${name}=$given[${at}]${isDefaulted ? `??(${source.slice(right.start, right.end)})` : ''};`;
}
