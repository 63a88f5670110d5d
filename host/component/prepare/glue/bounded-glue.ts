/**
 * Rewrites the glue so that a guest's values pass through lift-lower.ts: strings and lists are checked against the
 * memory they are said to be in, counted before they are made, and lowered with a `realloc` for every length, also none.
 * jco's own code reads what it can and takes no notice of the rest. Source: component model, CanonicalABI.md.
 */

import { LIFT_LOWER, type LiftLower } from '../../vm/lift-lower.ts';
import { type Node, type Parse, UnknownShape, walk } from './syntax.ts';
import { isCreate, weightOf } from './value-weight.ts';

/** A replacement of source text from `start` to `end`. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

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
const TRAMPOLINE = /^_trampoline\d+$/;
/** Of asynchronous functions, which no component here has (entries.ts). */
const UNUSED = /^_(lift|lower)Flat/;

/** @throws UnknownShape for glue that is not of the known shape: it must not run. */
export function boundedGlue(instantiate: string, parse: Parse): string {
  const edits: Edit[] = [];
  const [statement] = parse(`(${instantiate})`).body;
  const glue = (statement as { readonly expression?: Node } | undefined)?.expression;
  if (glue?.type !== 'FunctionExpression') throw new UnknownShape('no function');
  addParameter(glue as FunctionNode, edits);
  walk(glue, (node, parents) => rewrite(node, parents, edits));
  // What was ever made is noted for components that hand each other resources.
  if (!/\._createdReps\.has\b/.test(instantiate)) walk(glue, (node) => dropNote(node, edits));
  return apply(instantiate, edits);
}

interface FunctionNode extends Node {
  readonly id: (Node & { readonly name: string }) | null;
  readonly params: readonly Node[];
  readonly body: Node;
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
      rewriteTrampoline(node as Declarator, edits);
      return true;
    case 'LogicalExpression':
    case 'ConditionalExpression':
      rewriteHandle(node, edits);
      return true;
    case 'ForStatement':
      rewriteLoop(node as Loop, parents, edits);
      return true;
    case 'CallExpression':
      rewriteCall(node as Call, parents, edits);
      return true;
    case 'NewExpression':
      rewriteView(node as Call, edits);
      rewriteFault(node as Call, edits);
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
  const names = node.params.map((parameter) => (parameter as Identifier).name ?? '');
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
  const { callee } = node as Partial<Call>;
  const { property } = (callee?.object ?? {}) as { readonly property?: Identifier };
  if (node.type !== 'CallExpression' || property?.name !== '_createdReps' || callee?.property?.name !== 'add')
    return true;
  edits.push({ start: node.start, end: node.end, text: '0' });
  return false;
}

interface Declarator extends Node {
  readonly id: Identifier;
  readonly init?: FunctionNode | null;
}

/** What one host function's arguments take is counted from the beginning. */
function rewriteTrampoline({ id, init }: Declarator, edits: Edit[]): void {
  if (!TRAMPOLINE.test(id.name ?? '') || init?.type !== 'FunctionExpression') return;
  const at = init.body.start + 1;
  edits.push({ start: at, end: at, text: `${LIFT_LOWER}.begin();` });
}

/** `r || (r = Object.create(...), ...)`: a resource that is nobody's, in place of one that a handle does not lead to. */
function rewriteHandle(node: Node, edits: Edit[]): void {
  const { left, right, test, alternate } = node as Partial<Binary> & {
    readonly test?: Identifier;
    readonly alternate?: Node;
  };
  const [found, made] = [test ?? left, alternate ?? right];
  if (made?.type !== 'SequenceExpression') return;
  const [first] = (made as Node & { readonly expressions: readonly Node[] }).expressions;
  const { left: target, right: value } = first as Binary;
  if ((target as Identifier | undefined)?.name !== (found as Identifier).name || !isCreate(value)) return;
  edits.push({ start: made.start, end: made.end, text: `${LIFT_LOWER}.unknownHandle()` });
}

interface Loop extends Node {
  readonly test: (Binary & { readonly left: Identifier }) | null;
  readonly body: Node & { readonly body?: readonly Node[] };
}

interface Identifier extends Node {
  readonly name?: string;
}

interface Binary extends Node {
  readonly operator: string;
  readonly left: Node;
  readonly right: Node;
}

/** The code made for this component, and not what jco has for all. */
function isGenerated(parents: readonly Node[]): boolean {
  return parents.some((node) => node.type === 'FunctionExpression' && (node as { generator?: boolean }).generator);
}

/** A loop that lifts runs to a length that the guest gave, one that lowers to the `length` of what a caller gave. */
function rewriteLoop(node: Loop, parents: readonly Node[], edits: Edit[]): void {
  if (!isGenerated(parents)) return;
  const { test } = node;
  if (test?.type !== 'BinaryExpression' || test.operator !== '<') throw new UnknownShape('a loop');
  if (isLengthOf(test.right)) return;
  const stride = strideOf(node);
  // A list of a fixed length has it as a number.
  const { name, value } = test.right as Identifier & { readonly value?: unknown };
  const length = test.right.type === 'Literal' ? value : name;
  const isKnown = typeof length === 'string' || typeof length === 'number';
  if (!isKnown || stride === undefined) throw new UnknownShape('a loop');
  const text = `{${accounts(parents)}.list(${length},${weightOf(node.body) + stride});`;
  edits.push({ start: node.start, end: node.start, text }, { start: node.end, end: node.end, text: '}' });
}

function isLengthOf(node: Node): boolean {
  const { property } = node as { readonly property?: Identifier };
  return node.type === 'MemberExpression' && property?.name === 'length';
}

/** Bytes from one element to the next: `let base = start + i * 8` comes first in the body. */
function strideOf({ test, body }: Loop): number | undefined {
  const [first] = body.body ?? [];
  const { declarations } = (first ?? {}) as { readonly declarations?: readonly { readonly init?: Binary | null }[] };
  const product = declarations?.[0]?.init?.right as Binary | undefined;
  if (product?.type !== 'BinaryExpression' || product.operator !== '*') return undefined;
  if ((product.left as Identifier).name !== test?.left.name) return undefined;
  const { value } = product.right as { readonly value?: unknown };
  return typeof value === 'number' ? value : undefined;
}

/** Arguments of host functions and results of calls have limits of their own. */
function accounts(parents: readonly Node[]): string {
  const isArgument = parents.some((node) => {
    const { id } = node as { readonly id?: Identifier | null };
    return node.type === 'VariableDeclarator' && TRAMPOLINE.test(id?.name ?? '');
  });
  return `${LIFT_LOWER}.${isArgument ? 'argument' : 'result'}`;
}

interface Call extends Node {
  readonly callee: Node & { readonly object?: Node; readonly property?: Identifier; readonly name?: string };
  readonly arguments: readonly Node[];
}

function rewriteCall(node: Call, parents: readonly Node[], edits: Edit[]): void {
  const { callee } = node;
  rewriteFault(node, edits);
  if (isRealloc(node)) {
    edits.push({ start: node.start, end: node.start, text: '(' }, { start: node.end, end: node.end, text: '>>>0)' });
  }
  if (callee.type !== 'MemberExpression' || !isGenerated(parents)) return;
  if (callee.property?.name === 'decode') rewriteString(node, accounts(parents), edits);
  if (callee.property?.name === 'slice') rewriteNumbers(node, accounts(parents), edits);
}

/** An address above 2 GiB is negative otherwise. */
function isRealloc({ callee, arguments: given }: Call): boolean {
  if (callee.type !== 'Identifier' || given.length !== 4) return false;
  return given.slice(0, 2).every((argument) => (argument as { readonly value?: unknown }).value === 0);
}

const STRINGS: ReadonlyMap<string | undefined, string> = new Map([
  ['Uint8Array', 'utf8'],
  ['Uint16Array', 'utf16'],
]);

/** `decoder.decode(new Uint8Array(memory.buffer, pointer, length))` */
function rewriteString(node: Call, owner: string, edits: Edit[]): void {
  const view = node.arguments[0] as Call | undefined;
  const method = STRINGS.get((view as Partial<Call> | undefined)?.callee?.name);
  const [buffer, pointer, length] = view?.arguments ?? [];
  const memory = memoryOf(buffer);
  if (method === undefined || memory === undefined || pointer === undefined || length === undefined)
    throw new UnknownShape('a string');
  edits.push(
    { start: node.start, end: memory.start, text: `${owner}.${method}(` },
    { start: memory.end, end: pointer.start, text: ',' },
    { start: pointer.end, end: length.start, text: ',' },
    { start: length.end, end: node.end, text: ')' },
  );
}

/** `memory.buffer.slice(pointer, pointer + length * 8)` */
function rewriteNumbers(node: Call, owner: string, edits: Edit[]): void {
  const [pointer, end] = node.arguments as readonly [Node?, Binary?];
  const memory = memoryOf(node.callee.object);
  const product = end?.right as Binary | undefined;
  if (memory === undefined || pointer === undefined || product?.type !== 'BinaryExpression' || product.operator !== '*')
    throw new UnknownShape('a list of numbers');
  const { left, right } = product;
  edits.push(
    { start: node.start, end: memory.start, text: `${owner}.numbers(` },
    { start: memory.end, end: pointer.start, text: ',' },
    { start: pointer.end, end: left.start, text: ',' },
    { start: left.end, end: right.start, text: ',' },
    { start: right.end, end: node.end, text: ')' },
  );
}

/** The `memory` of `memory.buffer`. */
function memoryOf(node: Node | undefined): Node | undefined {
  const { object, property } = (node ?? {}) as { readonly object?: Node; readonly property?: Identifier };
  return property?.name === 'buffer' ? object : undefined;
}

/** `new Uint8Array(value.buffer || value, value.byteOffset, size)`, of a value whose elements may have another size. */
function rewriteView(node: Call, edits: Edit[]): void {
  const [source, , size] = node.arguments;
  const { left, right } = (source ?? {}) as Partial<Binary>;
  if (source?.type !== 'LogicalExpression' || memoryOf(left) === undefined || right === undefined) return;
  if (size === undefined) throw new UnknownShape('a view');
  edits.push(
    { start: node.start, end: right.start, text: `${LIFT_LOWER}.bytesOf(` },
    { start: right.end, end: size.start, text: ',' },
  );
}

/** `throw TypeError("...")`, with or without `new`. */
function rewriteFault({ start, callee, arguments: given }: Call, edits: Edit[]): void {
  if (callee.name !== 'TypeError' || !GUEST_FAULTS.test(beginningOf(given[0]))) return;
  edits.push({ start, end: callee.end, text: `${LIFT_LOWER}.trap` });
}

function beginningOf(node: Node | undefined): string {
  const { value, quasis } = (node ?? {}) as {
    readonly value?: unknown;
    readonly quasis?: readonly { readonly value: { readonly cooked: string } }[];
  };
  return typeof value === 'string' ? value : (quasis?.[0]?.value.cooked ?? '');
}

function apply(source: string, edits: Edit[]): string {
  let text = '';
  let at = 0;
  // The sort keeps the order of those that begin together: an outer node comes before what is in it.
  for (const edit of edits.toSorted((left, right) => left.start - right.start)) {
    // The parenthesis moved everything by one.
    const start = edit.start - 1;
    // Nothing is changed within what is replaced.
    if (start < at && edit.end - 1 <= at) continue;
    if (start < at) throw new UnknownShape('edits that overlap');
    text += source.slice(at, start) + edit.text;
    at = edit.end - 1;
  }
  return text + source.slice(at);
}
