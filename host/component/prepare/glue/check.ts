/**
 * Holds glue to the shape of what jco writes, before it is evaluated, wherever it came from. What passes has no way to a
 * `Function` or `eval` of any realm: no name that leads from an object to what made it is read or written, no key is
 * computed but through a guard (glue-guard.ts), and nothing free is used but what the glue's own realm gives it.
 */

import { createHash } from 'node:crypto';
import { messageOf, NebulaError } from '../../../errors.ts';
import { BUILTINS } from './builtins.ts';
import { isTakenKey, isTakenSlot } from './taken-names.ts';
import {
  type GlueNode,
  isIndex,
  isWritten,
  METHOD_GUARD,
  parseGlue,
  READ_GUARD,
  walkGlue,
  WRITE_GUARD,
} from './glue-syntax.ts';

/** What jco writes, by kind of node. Not among them: await, import, super, tags, regular expressions, debugger, with. */
const KINDS: ReadonlySet<string> = new Set([
  'ArrayExpression',
  'ArrayPattern',
  'ArrowFunctionExpression',
  'AssignmentExpression',
  'AssignmentPattern',
  'BinaryExpression',
  'BlockStatement',
  'BreakStatement',
  'CallExpression',
  'CatchClause',
  'ChainExpression',
  'ClassBody',
  'ClassDeclaration',
  'ClassExpression',
  'ConditionalExpression',
  'ContinueStatement',
  'DoWhileStatement',
  'EmptyStatement',
  'ExpressionStatement',
  'ForInStatement',
  'ForOfStatement',
  'ForStatement',
  'FunctionDeclaration',
  'FunctionExpression',
  'Identifier',
  'IfStatement',
  'LabeledStatement',
  'Literal',
  'LogicalExpression',
  'MemberExpression',
  'MetaProperty',
  'MethodDefinition',
  'NewExpression',
  'ObjectExpression',
  'ObjectPattern',
  'PrivateIdentifier',
  'Property',
  'PropertyDefinition',
  'RestElement',
  'ReturnStatement',
  'SequenceExpression',
  'SpreadElement',
  'SwitchCase',
  'SwitchStatement',
  'TemplateElement',
  'TemplateLiteral',
  'ThisExpression',
  'ThrowStatement',
  'TryStatement',
  'UnaryExpression',
  'UpdateExpression',
  'VariableDeclaration',
  'VariableDeclarator',
  'WhileStatement',
  'YieldExpression',
]);

const NAME = /^[A-Za-z_$][\w$]*$/;
/** Messages, and names of the component model: printable, with line ends. */
const TEXT = /^[\n\t\x20-\x7e]*$/;
const OBJECT_FUNCTIONS: ReadonlySet<string> = new Set([
  'assign',
  'create',
  'defineProperty',
  'entries',
  'hasOwn',
  'keys',
  'values',
]);
/** Of the realm of the host, or with functions that are allowed in one form only: named where they are used, never passed on. */
const NAMED_ONLY: ReadonlySet<string> = new Set(['Object', 'TextDecoder', 'TextEncoder']);
/** What Node gives to CommonJS modules. */
const OF_MODULES: ReadonlySet<string> = new Set(['require', 'module', 'exports', '__filename', '__dirname']);
/** The guards, and how many arguments each takes. */
const GUARDS: ReadonlyMap<string, number> = new Map([
  [READ_GUARD, 1],
  [WRITE_GUARD, 1],
  [METHOD_GUARD, 3],
]);

/** Digests of glue that passed, so that what is read back and deployed at once is not parsed twice. */
const passed: Set<string> = new Set();
const PASSED_KEPT = 256;

/** What the glue is evaluated behind. */
const PRELUDE = "'use strict';";

/** @throws NebulaError GLUE_REFUSED */
export function checkGlue(glue: string): void {
  const digest = createHash('sha256').update(glue).digest('base64');
  if (passed.has(digest)) return;
  check(glue);
  if (passed.size >= PASSED_KEPT) passed.clear();
  passed.add(digest);
}

function check(glue: string): void {
  let statements: readonly GlueNode[];
  try {
    statements = parseGlue(PRELUDE + glue);
  } catch (error) {
    throw new NebulaError('GLUE_REFUSED', { detail: messageOf(error) });
  }
  const [, statement, ...others] = statements;
  const factory = statement?.expression as GlueNode | undefined;
  // The parentheses are the first and the last of it: nothing stands beside the function, comments included.
  const isWhole =
    glue.startsWith('(') && factory?.start === PRELUDE.length + 1 && factory.end === PRELUDE.length + glue.length - 1;
  if (statement === undefined || factory?.type !== 'FunctionExpression' || !isWhole || others.length > 0) {
    throw new NebulaError('GLUE_REFUSED', { detail: 'it is not one function' });
  }
  const names: Names = { bound: new Set(), used: new Set() };
  walkGlue(statement, (node, parents) => {
    const reason = reasonAgainst(node, parents, names);
    if (reason === undefined) return;
    const offset = node.start - PRELUDE.length;
    throw new NebulaError('GLUE_REFUSED', { detail: `${reason} at character ${offset}` });
  });
  for (const name of names.used) {
    // A name that is nobody's is a ReferenceError when it is come to: jco leaves some.
    const isSomebodys = name in globalThis || OF_MODULES.has(name);
    if (isSomebodys && !names.bound.has(name) && !BUILTINS.has(name)) refuse(`it uses ${name}, which is not its own`);
  }
  for (const name of names.bound) if (BUILTINS.has(name)) refuse(`it has another ${name}`);
}

function refuse(detail: string): never {
  throw new NebulaError('GLUE_REFUSED', { detail });
}

/** Names that any scope of the glue binds, and that are used as variables anywhere. */
interface Names {
  readonly bound: Set<string>;
  readonly used: Set<string>;
}

function reasonAgainst(node: GlueNode, parents: readonly GlueNode[], names: Names): string | undefined {
  if (!KINDS.has(node.type)) return `it has a ${node.type}`;
  if (node.async === true) return 'a function is asynchronous';
  switch (node.type) {
    case 'Literal':
      return reasonAgainstLiteral(node.value);
    case 'TemplateElement':
      return reasonAgainstLiteral((node.value as { readonly cooked?: unknown }).cooked);
    case 'MetaProperty':
      return reasonAgainstMeta(node, parents.at(-1));
    case 'Identifier':
      return reasonAgainstIdentifier(node, parents, names);
    case 'MemberExpression':
      return reasonAgainstMember(node, parents);
    case 'Property':
    case 'PropertyDefinition':
    case 'MethodDefinition':
      return reasonAgainstKey(node);
    case 'ClassDeclaration':
    case 'ClassExpression':
      return node.superClass === null ? undefined : 'a class extends another';
    case 'CallExpression':
      return reasonAgainstCall(node);
    default:
      return undefined;
  }
}

function reasonAgainstLiteral(value: unknown): string | undefined {
  if (typeof value === 'string') return TEXT.test(value) ? undefined : 'it has an unknown text';
  const isPlain = value === null || typeof value === 'number' || typeof value === 'boolean';
  return isPlain || typeof value === 'bigint' ? undefined : 'it has an unknown literal';
}

/** Constructors of exported resources ask whether they were called with `new`: what made an object is compared, and goes nowhere. */
function reasonAgainstMeta(node: GlueNode, parent: GlueNode | undefined): string | undefined {
  const isNewTarget = node.meta?.name === 'new' && node.property?.name === 'target';
  const isCompared =
    parent?.type === 'BinaryExpression' &&
    parent.operator === '===' &&
    parent.left === node &&
    parent.right?.type === 'Identifier';
  return isNewTarget && isCompared ? undefined : 'it has a meta property that is not compared';
}

function reasonAgainstIdentifier(node: GlueNode, parents: readonly GlueNode[], names: Names): string | undefined {
  const { name = '' } = node;
  const parent = parents.at(-1) as GlueNode;
  if (!NAME.test(name)) return 'it has an unknown name';
  if (parent.type === 'MetaProperty') return undefined;
  // Names of properties and labels are no variables.
  const isProperty = parent.type === 'MemberExpression' && parent.property === node && parent.computed !== true;
  const isKey = parent.key === node && parent.computed !== true && parent.shorthand !== true;
  if (isProperty || isKey || /^(?:Labeled|Break|Continue)Statement$/.test(parent.type)) return undefined;
  names.used.add(name);
  if (isBinding(node, parents)) names.bound.add(name);
  const takes = GUARDS.get(name);
  if (takes !== undefined && !isGuardCall(node, parent, takes)) return 'a guard is used otherwise';
  if (!NAMED_ONLY.has(name)) return undefined;
  const isNamed =
    (parent.type === 'MemberExpression' && parent.object === node && parent.computed !== true) ||
    (parent.type === 'NewExpression' && parent.callee === node);
  return isNamed ? undefined : `${name} is passed on`;
}

function isGuardCall(node: GlueNode, parent: GlueNode, takes: number): boolean {
  const { type, callee, arguments: given = [] } = parent;
  const isPlain = given.every((argument) => argument.type !== 'SpreadElement');
  return type === 'CallExpression' && callee === node && given.length === takes && isPlain;
}

/** Whether an identifier stands where a name is bound. */
function isBinding(node: GlueNode, parents: readonly GlueNode[]): boolean {
  let below = node;
  for (let at = parents.length - 1; at >= 0; at--) {
    const parent = parents[at] as GlueNode;
    const isPattern =
      parent.type === 'ArrayPattern' ||
      parent.type === 'ObjectPattern' ||
      parent.type === 'RestElement' ||
      (parent.type === 'AssignmentPattern' && parent.left === below) ||
      (parent.type === 'Property' && parent.value === below && parents[at - 1]?.type === 'ObjectPattern');
    if (!isPattern) {
      if (parent.type === 'VariableDeclarator' || parent.type.startsWith('Class')) return parent.id === below;
      if (parent.type === 'CatchClause') return parent.param === below;
      return parent.id === below || (parent.params?.includes(below) ?? false);
    }
    below = parent;
  }
  return false;
}

function reasonAgainstMember(node: GlueNode, parents: readonly GlueNode[]): string | undefined {
  const { object, property } = node;
  if (object === undefined || property === undefined) return 'it has an unknown access';
  const written = isWritten(node, parents);
  if (written && object.type === 'Identifier' && NAMED_ONLY.has(object.name ?? '')) return 'it changes a builtin';
  if (node.computed === true) return reasonAgainstComputed(property, written);
  if (property.type === 'PrivateIdentifier') return undefined;
  const { name = '' } = property;
  if (name === 'prototype') return reasonAgainstPrototype(node, parents);
  if (object.name === 'Object' && !OBJECT_FUNCTIONS.has(name)) return `it uses Object.${name}`;
  if (object.name === 'Object' && !isCallee(node, parents)) return `Object.${name} is passed on`;
  return isTakenKey(name) || (written && isTakenSlot(name)) ? `it uses the property ${name}` : undefined;
}

function isCallee(node: GlueNode, parents: readonly GlueNode[]): boolean {
  const parent = parents.at(-1);
  return parent?.type === 'CallExpression' && parent.callee === node;
}

function reasonAgainstComputed(key: GlueNode, written: boolean): string | undefined {
  if (isIndex(key)) return undefined;
  if (key.type === 'Literal' && typeof key.value === 'string') {
    const isTaken = isTakenKey(key.value) || (written && isTakenSlot(key.value));
    return isTaken ? `it uses the property ${key.value}` : undefined;
  }
  const guard = written ? WRITE_GUARD : READ_GUARD;
  return isGuarded(key, guard) ? undefined : 'a computed key has no guard';
}

function isGuarded(key: GlueNode, guard: string): boolean {
  return key.type === 'CallExpression' && key.callee?.type === 'Identifier' && key.callee.name === guard;
}

/** A prototype is what a new object is created of, or where `hasOwnProperty` is taken from. */
function reasonAgainstPrototype(node: GlueNode, parents: readonly GlueNode[]): string | undefined {
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

function isFunctionOfObject(callee: GlueNode | undefined, name: string): boolean {
  return (
    callee?.type === 'MemberExpression' &&
    callee.computed !== true &&
    callee.object?.type === 'Identifier' &&
    callee.object.name === 'Object' &&
    callee.property?.name === name
  );
}

function reasonAgainstKey(node: GlueNode): string | undefined {
  const { key } = node;
  if (node.type === 'MethodDefinition' && node.kind === 'constructor') return undefined;
  if (node.computed === true || key === undefined) return 'a key is computed';
  if (key.type === 'PrivateIdentifier') return undefined;
  const name = key.type === 'Literal' ? String(key.value) : (key.name ?? '');
  return isTakenKey(name) || name === 'prototype' ? `it uses the property ${name}` : undefined;
}

/** `Object.assign` marks functions, `Object.defineProperty` adds handles: neither writes what it is not known to. */
function reasonAgainstCall({ callee, arguments: given = [] }: GlueNode): string | undefined {
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
