/** What properties glue may use: none that leads from an object to what made it, and no key that is computed without a guard. */

import { READ_GUARD, WRITE_GUARD } from './contract.ts';
import { NAMED_ONLY } from './name-rules.ts';
import { isIndex, isWritten, type Node } from './syntax.ts';
import { isTakenKey, isTakenSlot } from './taken-names.ts';

const OBJECT_FUNCTIONS: ReadonlySet<string> = new Set([
  'assign',
  'create',
  'defineProperty',
  'entries',
  'hasOwn',
  'keys',
  'values',
]);

/** Why a property may not be read or written so, or undefined. */
export function reasonAgainstMember(node: Node, parents: readonly Node[]): string | undefined {
  const { object, property } = node;
  if (object === undefined || property === undefined) return 'it has an unknown access';
  const isChanged = isWritten(node, parents);
  if (isChanged && object.type === 'Identifier' && NAMED_ONLY.has(object.name ?? '')) return 'it changes a builtin';
  if (node.computed === true) return reasonAgainstComputed(property, isChanged);
  if (property.type === 'PrivateIdentifier') return undefined;
  const { name = '' } = property;
  if (name === 'prototype') return reasonAgainstPrototype(node, parents);
  if (object.name === 'Object' && !OBJECT_FUNCTIONS.has(name)) return `it uses Object.${name}`;
  if (object.name === 'Object' && !isCallee(node, parents)) return `Object.${name} is passed on`;
  return isTakenKey(name) || (isChanged && isTakenSlot(name)) ? `it uses the property ${name}` : undefined;
}

function isCallee(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  return parent?.type === 'CallExpression' && parent.callee === node;
}

function reasonAgainstComputed(key: Node, isChanged: boolean): string | undefined {
  if (isIndex(key)) return undefined;
  if (key.type === 'Literal' && typeof key.value === 'string') {
    const isTaken = isTakenKey(key.value) || (isChanged && isTakenSlot(key.value));
    return isTaken ? `it uses the property ${key.value}` : undefined;
  }
  const guard = isChanged ? WRITE_GUARD : READ_GUARD;
  return isGuarded(key, guard) ? undefined : 'a computed key has no guard';
}

function isGuarded(key: Node, guard: string): boolean {
  return key.type === 'CallExpression' && key.callee?.type === 'Identifier' && key.callee.name === guard;
}

/** A prototype is what a new object is created of, or where `hasOwnProperty` is taken from. */
function reasonAgainstPrototype(node: Node, parents: readonly Node[]): string | undefined {
  const parent = parents.at(-1);
  const isCreated =
    parent?.type === 'CallExpression' &&
    isFunctionOfObject(parent.callee, 'create') &&
    parent.arguments?.[0] === node &&
    parent.arguments.length === 1;
  const isOwnTest =
    node.object?.name === 'Object' &&
    parent?.type === 'MemberExpression' &&
    parent.property?.name === 'hasOwnProperty' &&
    parent.computed !== true &&
    !isWritten(parent, parents.slice(0, -1));
  return isCreated || isOwnTest ? undefined : 'it uses the property prototype';
}

function isFunctionOfObject(callee: Node | undefined, name: string): boolean {
  return (
    callee?.type === 'MemberExpression' &&
    callee.computed !== true &&
    callee.object?.type === 'Identifier' &&
    callee.object.name === 'Object' &&
    callee.property?.name === name
  );
}

/** Why an object or a class may not have such a key, or undefined. */
export function reasonAgainstKey(node: Node): string | undefined {
  const { key } = node;
  if (node.type === 'MethodDefinition' && node.kind === 'constructor') return undefined;
  if (node.computed === true || key === undefined) return 'a key is computed';
  if (key.type === 'PrivateIdentifier') return undefined;
  const name = key.type === 'Literal' ? String(key.value) : (key.name ?? '');
  return isTakenKey(name) || name === 'prototype' ? `it uses the property ${name}` : undefined;
}

/**
 * Why a call may not be, or undefined. `Object.assign` marks functions, `Object.defineProperty` adds handles: neither
 * writes what it is not known to.
 */
export function reasonAgainstCall({ callee, arguments: given = [] }: Node): string | undefined {
  if (isFunctionOfObject(callee, 'assign')) {
    const [target, source] = given;
    const isMark =
      given.length === 2 &&
      target?.type !== 'SpreadElement' &&
      source?.type === 'ObjectExpression' &&
      source.properties?.every(({ type, key }) => type === 'Property' && key?.name === '_jcoMaySuspend') === true;
    return isMark ? undefined : 'it uses Object.assign otherwise';
  }
  if (!isFunctionOfObject(callee, 'defineProperty')) return undefined;
  const key = given[1];
  // No accessors: what reads a property of the glue's runs nothing of it.
  const isValue = given[2]?.properties?.every(({ type, kind, key: name }) => {
    return (
      type === 'Property' && kind === 'init' && /^(?:value|writable|enumerable|configurable)$/.test(name?.name ?? '')
    );
  });
  const isKnown =
    given.length === 3 &&
    given[0]?.type !== 'SpreadElement' &&
    key !== undefined &&
    isGuarded(key, WRITE_GUARD) &&
    given[2]?.type === 'ObjectExpression' &&
    isValue === true;
  return isKnown ? undefined : 'it uses Object.defineProperty otherwise';
}
