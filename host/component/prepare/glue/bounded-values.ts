/** Bounds the strings and lists that the glue lifts out of a guest's memory or lowers into it, each in its place. */

import { LIFT_LOWER } from './contract.ts';
import type { Edit } from './edits.ts';
import { type Node, UnknownShape } from './syntax.ts';
import { weightOf } from './value-weight.ts';

/** What jco calls the functions through which a guest calls the host. */
export const TRAMPOLINE: RegExp = /^_trampoline\d+$/;

/** Whether a node is of the code made for this component, and not of what jco has for all. */
export function isGenerated(parents: readonly Node[]): boolean {
  return parents.some(({ type, generator }) => type === 'FunctionExpression' && generator === true);
}

/** What counts the values there: arguments of host functions and results of calls have limits of their own. */
export function accountOf(parents: readonly Node[]): string {
  const isArgument = parents.some(({ type, id }) => type === 'VariableDeclarator' && TRAMPOLINE.test(id?.name ?? ''));
  return `${LIFT_LOWER}.${isArgument ? 'argument' : 'result'}`;
}

/**
 * A loop that lifts runs to a length that the guest gave, one that lowers to the `length` of what a caller gave.
 * @throws UnknownShape
 */
export function boundLoop(node: Node, account: string, edits: Edit[]): void {
  const { start, end, test, body } = node as Node & { readonly test: Node | null; readonly body: Node };
  if (test?.type !== 'BinaryExpression' || test.operator !== '<') throw new UnknownShape('a loop');
  if (isLengthOf(test.right)) return;
  const stride = strideOf(test, body);
  // A list of a fixed length has it as a number.
  const length = test.right?.type === 'Literal' ? test.right.value : test.right?.name;
  const isKnown = typeof length === 'string' || typeof length === 'number';
  if (!isKnown || stride === undefined) throw new UnknownShape('a loop');
  const text = `{${account}.list(${length},${weightOf(body) + stride});`;
  edits.push({ start, end: start, text }, { start: end, end, text: '}' });
}

function isLengthOf(node: Node | undefined): boolean {
  return node?.type === 'MemberExpression' && node.property?.name === 'length';
}

/** Bytes from one element to the next: `let base = start + i * 8` comes first in the body. */
function strideOf(test: Node, body: Node): number | undefined {
  const [first] = (body as Node & { readonly body?: readonly Node[] }).body ?? [];
  const { declarations } = (first ?? {}) as { readonly declarations?: readonly { readonly init?: Node | null }[] };
  const product = declarations?.[0]?.init?.right;
  if (product?.type !== 'BinaryExpression' || product.operator !== '*') return undefined;
  if (product.left?.name !== test.left?.name) return undefined;
  const value = product.right?.value;
  return typeof value === 'number' ? value : undefined;
}

const STRINGS: ReadonlyMap<string | undefined, string> = new Map([
  ['Uint8Array', 'utf8'],
  ['Uint16Array', 'utf16'],
]);

/** `decoder.decode(new Uint8Array(memory.buffer, pointer, length))` @throws UnknownShape */
export function boundString(node: Node, account: string, edits: Edit[]): void {
  const view = node.arguments?.[0];
  const method = STRINGS.get(view?.callee?.name);
  const [buffer, pointer, length] = view?.arguments ?? [];
  const memory = memoryOf(buffer);
  if (method === undefined || memory === undefined || pointer === undefined || length === undefined)
    throw new UnknownShape('a string');
  edits.push(
    { start: node.start, end: memory.start, text: `${account}.${method}(` },
    { start: memory.end, end: pointer.start, text: ',' },
    { start: pointer.end, end: length.start, text: ',' },
    { start: length.end, end: node.end, text: ')' },
  );
}

/** `memory.buffer.slice(pointer, pointer + length * 8)` @throws UnknownShape */
export function boundNumbers(node: Node, account: string, edits: Edit[]): void {
  const [pointer, end] = node.arguments ?? [];
  const memory = memoryOf(node.callee?.object);
  const product = end?.right;
  const { left, right } = product ?? {};
  const isProduct = product?.type === 'BinaryExpression' && product.operator === '*';
  if (memory === undefined || pointer === undefined || !isProduct || left === undefined || right === undefined)
    throw new UnknownShape('a list of numbers');
  edits.push(
    { start: node.start, end: memory.start, text: `${account}.numbers(` },
    { start: memory.end, end: pointer.start, text: ',' },
    { start: pointer.end, end: left.start, text: ',' },
    { start: left.end, end: right.start, text: ',' },
    { start: right.end, end: node.end, text: ')' },
  );
}

/** The `memory` of `memory.buffer`. */
function memoryOf(node: Node | undefined): Node | undefined {
  return node?.property?.name === 'buffer' ? node.object : undefined;
}

/**
 * `new Uint8Array(value.buffer || value, value.byteOffset, size)`, of a value whose elements may have another size.
 * @throws UnknownShape
 */
export function boundView(node: Node, edits: Edit[]): void {
  const [source, , size] = node.arguments ?? [];
  const { type, left, right } = source ?? {};
  if (type !== 'LogicalExpression' || memoryOf(left) === undefined || right === undefined) return;
  if (size === undefined) throw new UnknownShape('a view');
  edits.push(
    { start: node.start, end: right.start, text: `${LIFT_LOWER}.bytesOf(` },
    { start: right.end, end: size.start, text: ',' },
  );
}
