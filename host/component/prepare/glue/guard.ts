/**
 * Puts a guard around what the glue computes while it runs: keys, which jco uses for handles, fields and flags, and methods
 * that it gives its classes. No key can then be a name that leads from an object to what made it, whatever a guest gave,
 * and no class but the glue's own is changed.
 */

import { applyEdits, type Edit } from './edits.ts';
import { isIndex, isWritten, methodOf, type Node, parseGlue, walk } from './syntax.ts';
import { METHOD_GUARD, READ_GUARD, WRITE_GUARD } from './contract.ts';

/** The glue with its guards, which its realm gives it (vm/glue-realm.ts). @throws SyntaxError */
export function guardGlue(glue: string): string {
  const edits: Edit[] = [];
  // Guards within guards: what begins later lies inside, and ends that meet are alike.
  for (const statement of parseGlue(glue)) walk(statement, (node, parents) => guard(node, parents, glue, edits));
  return applyEdits(glue, edits);
}

function guard(node: Node, parents: readonly Node[], glue: string, edits: Edit[]): void {
  const { property } = node;
  if (node.type === 'CallExpression') guardDefinition(node, edits);
  if (node.type === 'AssignmentExpression') guardMethod(node, glue, edits);
  if (node.type !== 'MemberExpression' || node.computed !== true || property === undefined) return;
  if (isIndex(property) || property.type === 'Literal') return;
  wrap(property, isWritten(node, parents) ? WRITE_GUARD : READ_GUARD, edits);
}

function wrap({ start, end }: Node, by: string, edits: Edit[]): void {
  edits.push({ start, end: start, text: `${by}(` }, { start: end, end, text: ')' });
}

/** `Object.defineProperty(object, key, ...)` writes too. */
function guardDefinition({ callee, arguments: given }: Node, edits: Edit[]): void {
  if (callee?.object?.name !== 'Object' || callee.property?.name !== 'defineProperty') return;
  const key = given?.[1];
  if (key !== undefined && key.type !== 'Literal') wrap(key, WRITE_GUARD, edits);
}

/** `Class.prototype.name = function`, as `$method(Class,"name",function)`. */
function guardMethod({ operator, left, right, start, end }: Node, glue: string, edits: Edit[]): void {
  const found = methodOf(left);
  if (operator !== '=' || found === undefined || right === undefined) return;
  const { owner, method } = found;
  const name = JSON.stringify(method.type === 'Literal' ? String(method.value) : method.name);
  const text = `${METHOD_GUARD}(${glue.slice(owner.start, owner.end)},${name},`;
  edits.push({ start, end: right.start, text }, { start: end, end, text: ')' });
}
