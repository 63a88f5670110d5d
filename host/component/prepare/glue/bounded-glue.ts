/**
 * Rewrites the glue so that a guest's values pass through `LiftLower`: strings and lists are checked against the
 * memory they are said to be in, counted before they are made, and lowered with a `realloc` for every length, also none.
 * jco's own code reads what it can and takes no notice of the rest. Source: component model, CanonicalABI.md.
 */

import {
  accountOf,
  boundLoop,
  boundNumbers,
  boundString,
  boundView,
  isGenerated,
  TRAMPOLINE,
} from './bounded-values.ts';
import { type LiftLower, LIFT_LOWER } from './contract.ts';
import { applyEdits, type Edit } from './edits.ts';
import { type FunctionNode, type Node, parseFunction, UnknownShape, walk } from './syntax.ts';
import { isCreate } from './value-weight.ts';

/** Functions of the glue's that are replaced whole. */
const REPLACED: ReadonlyMap<string, string> = new Map([
  ['_utf8AllocateAndEncode', 'lowerUtf8'],
  ['_utf16AllocateAndEncode', 'lowerUtf16'],
]);

/** What the glue throws as a TypeError for values of a guest's: a trap. Everything else is a caller's mistake. */
const GUEST_FAULTS =
  /^(list pointer |invalid variant discriminant for |invalid discriminant |flags have extraneous|not a valid char|must be between )/;

/** Functions of tables of handles, which take the table first, and what is asked before they do. */
const HANDLE_CHECKS: ReadonlyMap<string, { readonly method: keyof LiftLower; readonly parameters: 1 | 2 }> = new Map([
  ['rscTableRemove', { method: 'requireHandle', parameters: 2 }],
  ['rscTableCreateOwn', { method: 'countHandle', parameters: 1 }],
  ['rscTableCreateBorrow', { method: 'countHandle', parameters: 1 }],
]);
/** Of asynchronous functions, which no component here has (prepare/entries.ts). */
const UNUSED = /^_(lift|lower)Flat/;

/** `instantiate` of jco's with all values bounded. @throws SyntaxError, UnknownShape */
export function boundedGlue(instantiate: string): string {
  const edits: Edit[] = [];
  const glue = parseFunction(instantiate);
  addParameter(glue, edits);
  walk(glue, (node, parents) => rewrite(node, parents, edits));
  // What was ever made is noted for components that hand each other resources.
  if (!/\._createdReps\.has\b/.test(instantiate)) walk(glue, (node) => dropNote(node, edits));
  return applyEdits(instantiate, edits);
}

function addParameter({ params }: FunctionNode, edits: Edit[]): void {
  const last = params.at(-1);
  if (last === undefined) throw new UnknownShape('no parameters');
  edits.push({ start: last.end, end: last.end, text: `,${LIFT_LOWER}` });
}

/** Answers whether to go on into the node. */
function rewrite(node: Node, parents: readonly Node[], edits: Edit[]): boolean {
  switch (node.type) {
    case 'FunctionDeclaration':
      return rewriteFunction(node as FunctionNode, edits);
    case 'VariableDeclarator':
      rewriteTrampoline(node, edits);
      return true;
    case 'LogicalExpression':
    case 'ConditionalExpression':
      rewriteHandle(node, edits);
      return true;
    case 'ForStatement':
      if (isGenerated(parents)) boundLoop(node, accountOf(parents), edits);
      return true;
    case 'CallExpression':
      rewriteCall(node, parents, edits);
      return true;
    case 'NewExpression':
      boundView(node, edits);
      rewriteFault(node, edits);
      return true;
    case 'WhileStatement':
    case 'DoWhileStatement':
      if (isGenerated(parents)) throw new UnknownShape('a while loop');
      return true;
    default:
      return true;
  }
}

function rewriteFunction(node: FunctionNode, edits: Edit[]): boolean {
  const name = node.id?.name ?? '';
  if (UNUSED.test(name)) return false;
  const replacement = REPLACED.get(name);
  const names = node.params.map((parameter) => parameter.name ?? '');
  const check = HANDLE_CHECKS.get(name);
  if (check !== undefined) {
    if (names.length < check.parameters || names.includes('')) throw new UnknownShape(name);
    const at = node.body.start + 1;
    const given = names.slice(0, check.parameters).join(',');
    edits.push({ start: at, end: at, text: `${LIFT_LOWER}.${check.method}(${given});` });
  }
  if (replacement === undefined) return true;
  if (names.length !== 3 || names.includes('')) throw new UnknownShape(name);
  edits.push({ ...node.body, text: `{return ${LIFT_LOWER}.${replacement}(${names.join(',')})}` });
  return false;
}

/** `table._createdReps.add(representation)` */
function dropNote(node: Node, edits: Edit[]): boolean {
  const { type, callee } = node;
  const isNote = callee?.object?.property?.name === '_createdReps' && callee.property?.name === 'add';
  if (type !== 'CallExpression' || !isNote) return true;
  edits.push({ start: node.start, end: node.end, text: '0' });
  return false;
}

/** What one host function's arguments take is counted from the beginning. */
function rewriteTrampoline(node: Node, edits: Edit[]): void {
  const { id, init } = node as Node & { readonly init?: FunctionNode | null };
  if (!TRAMPOLINE.test(id?.name ?? '') || init?.type !== 'FunctionExpression') return;
  const at = init.body.start + 1;
  edits.push({ start: at, end: at, text: `${LIFT_LOWER}.begin();` });
}

/** `r || (r = Object.create(...), ...)`: a resource that is nobody's, in place of one that a handle does not lead to. */
function rewriteHandle(node: Node, edits: Edit[]): void {
  const { left, right, test, alternate } = node as Node & { readonly test?: Node; readonly alternate?: Node };
  const [found, made] = [test ?? left, alternate ?? right];
  if (made?.type !== 'SequenceExpression') return;
  const [first] = (made as Node & { readonly expressions: readonly Node[] }).expressions;
  if (first?.left?.name !== found?.name || !isCreate(first?.right)) return;
  edits.push({ start: made.start, end: made.end, text: `${LIFT_LOWER}.unknownHandle()` });
}

function rewriteCall(node: Node, parents: readonly Node[], edits: Edit[]): void {
  const { callee } = node;
  rewriteFault(node, edits);
  if (isRealloc(node)) {
    edits.push({ start: node.start, end: node.start, text: '(' }, { start: node.end, end: node.end, text: '>>>0)' });
  }
  if (callee?.type !== 'MemberExpression' || !isGenerated(parents)) return;
  if (callee.property?.name === 'decode') boundString(node, accountOf(parents), edits);
  if (callee.property?.name === 'slice') boundNumbers(node, accountOf(parents), edits);
}

/** An address above 2 GiB is negative otherwise. */
function isRealloc({ callee, arguments: given = [] }: Node): boolean {
  return callee?.type === 'Identifier' && given.length === 4 && given[0]?.value === 0 && given[1]?.value === 0;
}

/** `throw TypeError("...")`, with or without `new`. */
function rewriteFault({ start, callee, arguments: given }: Node, edits: Edit[]): void {
  if (callee?.name !== 'TypeError' || !GUEST_FAULTS.test(beginningOf(given?.[0]))) return;
  edits.push({ start, end: callee.end, text: `${LIFT_LOWER}.trap` });
}

function beginningOf(node: Node | undefined): string {
  const { value, quasis } = (node ?? {}) as {
    readonly value?: unknown;
    readonly quasis?: readonly { readonly value: { readonly cooked: string } }[];
  };
  return typeof value === 'string' ? value : (quasis?.[0]?.value.cooked ?? '');
}
