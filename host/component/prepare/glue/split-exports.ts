/**
 * Takes the glue's exported functions apart where they call a core module, so that whoever runs them can make that call
 * itself, with nothing of JavaScript's around it: what lowers the arguments comes before, what lifts the answer is called
 * afterwards. Where nobody asks for that, the glue makes the call as ever.
 */

import { LIFT_LOWER } from './contract.ts';
import { applyEdits, type Edit } from './edits.ts';
import { type Node, parseFunction, walk } from './syntax.ts';

interface Try extends Node {
  readonly block: Node & { readonly body: readonly Node[] };
}

/** A statement that calls a core module, and what it is made of. */
interface CoreCall {
  /** `_withGlobalCurrentTaskMeta({ ..., fn: () => core(...) })`: what is around it has said the same before. */
  readonly wrapped: Node;
  readonly core: Node;
  /** The variable that has the answer; none of a function without one. */
  readonly answer: Node | undefined;
}

/** `instantiate` of jco's whose exported functions of the known shape are split. @throws SyntaxError */
export function splitExports(instantiate: string): string {
  const edits: Edit[] = [];
  walk(parseFunction(instantiate), (node) => {
    const body = node.type === 'Property' && node.key?.name === 'fn' ? tryOf(node.value as Node) : undefined;
    if (body !== undefined) split(body, instantiate, edits);
    return true;
  });
  return applyEdits(instantiate, edits);
}

/** The one statement of `() => { try { ... } catch { ... } }`. */
function tryOf(fn: Node): Try | undefined {
  const { body } = fn as { readonly body?: Node & { readonly body?: readonly Node[] } };
  const [only, ...others] = (body?.type === 'BlockStatement' ? body.body : undefined) ?? [];
  const isOnly = fn.type === 'ArrowFunctionExpression' && fn.params?.length === 0 && others.length === 0;
  return isOnly && only?.type === 'TryStatement' ? (only as Try) : undefined;
}

function split({ block }: Try, source: string, edits: Edit[]): void {
  const at = block.body.findIndex((statement) => coreCallOf(statement) !== undefined);
  const made = block.body[at];
  const rest = block.body.slice(at + 1);
  const [first, last] = [rest[0], rest.at(-1)];
  if (made === undefined || first === undefined || last === undefined) return;
  const { wrapped, core, answer } = coreCallOf(made) as CoreCall;
  // It moves to a function of its own, which others do not see into.
  if (!isOwn(variablesOf(rest), block.body.slice(0, at + 1))) return;
  const text = (node: Node): string => source.slice(node.start, node.end);
  const conclude = answer === undefined ? '$rest' : `$answer=>{${text(answer)}=$answer;return $rest()}`;
  const beside = `if(${LIFT_LOWER}.isSplit()){${LIFT_LOWER}.split(()=>${text(core)},${conclude});return}`;
  edits.push(
    {
      start: made.start,
      end: made.start,
      text: `let $rest=()=>{${source.slice(first.start, last.end)}};${beside}`,
    },
    { start: wrapped.start, end: wrapped.end, text: text(core) },
    { start: first.start, end: last.end, text: 'return $rest()' },
  );
}

/** `try { answer = wrapped } catch { ... }`, or without an answer. */
function coreCallOf(statement: Node): CoreCall | undefined {
  if (statement.type !== 'TryStatement') return undefined;
  const [only, ...others] = (statement as Try).block.body;
  const expression = only?.expression as Node | undefined;
  if (only?.type !== 'ExpressionStatement' || expression === undefined || others.length > 0) return undefined;
  const isAnswered = expression.type === 'AssignmentExpression' && expression.operator === '=';
  const wrapped = isAnswered ? expression.right : expression;
  const answer = isAnswered ? expression.left : undefined;
  const core = wrapped === undefined ? undefined : wrappedCall(wrapped);
  const isKnown = wrapped !== undefined && core !== undefined && (answer ?? core.callee)?.type === 'Identifier';
  return isKnown ? { wrapped, core, answer } : undefined;
}

function wrappedCall({ type, callee, arguments: given }: Node): Node | undefined {
  if (type !== 'CallExpression' || callee?.name !== '_withGlobalCurrentTaskMeta' || given?.length !== 1)
    return undefined;
  const fn = given[0]?.properties?.find(({ key }) => key?.name === 'fn')?.value as Node | undefined;
  const { body } = (fn ?? {}) as { readonly body?: Node };
  const isCall = fn?.type === 'ArrowFunctionExpression' && body?.type === 'CallExpression';
  return isCall && body.callee?.type === 'Identifier' ? body : undefined;
}

/** Names of variables that statements have for the whole function that they are in. */
function variablesOf(statements: readonly Node[]): ReadonlySet<string> {
  const names: Set<string> = new Set();
  for (const statement of statements) {
    walk(statement, (node) => {
      const { kind, declarations } = node as { readonly declarations?: readonly { readonly id: Node }[] } & Node;
      if (node.type === 'VariableDeclaration' && kind === 'var') {
        for (const { id } of declarations ?? []) for (const name of identifiersOf(id)) names.add(name);
      }
      return !/Function/.test(node.type);
    });
  }
  return names;
}

function isOwn(names: ReadonlySet<string>, others: readonly Node[]): boolean {
  return others.every((other) => identifiersOf(other).every((name) => !names.has(name)));
}

/** Names below a node that are no keys. */
function identifiersOf(root: Node): string[] {
  const found: string[] = [];
  walk(root, (node, parents) => {
    const parent = parents.at(-1);
    const isKey =
      parent?.computed !== true && (parent?.property === node || (parent?.key === node && parent.value !== node));
    if (node.type === 'Identifier' && !isKey) found.push(node.name ?? '');
    return true;
  });
  return found;
}
