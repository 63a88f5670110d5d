/**
 * Holds glue to the shape of what jco writes, before it is evaluated, wherever it came from. What passes has no way to a
 * `Function` or `eval` of any realm: no name that leads from an object to what made it is read or written, no key is
 * computed but through a guard (guard.ts), and nothing free is used but what the glue's own realm gives it.
 */

import { createHash } from 'node:crypto';
import { messageOf, NebulaError } from '../../../errors.ts';
import { type Names, reasonAgainstIdentifier, reasonAgainstNames } from './name-rules.ts';
import { NODE_KINDS } from './node-kinds.ts';
import { reasonAgainstCall, reasonAgainstKey, reasonAgainstMember } from './property-rules.ts';
import { type Node, parseGlue, walk } from './syntax.ts';

/** Messages, and names of the component model: printable, with line ends. */
const TEXT = /^[\n\t\x20-\x7e]*$/;
/** Digests of glue that passed, so that what is read back and deployed at once is not parsed twice. */
const passed: Set<string> = new Set();
const PASSED_KEPT = 256;

/** What the glue is evaluated behind. */
const PRELUDE = "'use strict';";

/** Refuses glue that is not of the shape. @throws NebulaError GLUE_REFUSED */
export function checkGlue(glue: string): void {
  const digest = createHash('sha256').update(glue).digest('base64');
  if (passed.has(digest)) return;
  check(glue);
  if (passed.size >= PASSED_KEPT) passed.clear();
  passed.add(digest);
}

function check(glue: string): void {
  let statements: readonly Node[];
  try {
    statements = parseGlue(PRELUDE + glue);
  } catch (error) {
    throw new NebulaError('GLUE_REFUSED', { detail: messageOf(error) });
  }
  const [, statement, ...others] = statements;
  const factory = statement?.expression as Node | undefined;
  // The parentheses are the first and the last of it: nothing stands beside the function, comments included.
  const isWhole =
    glue.startsWith('(') && factory?.start === PRELUDE.length + 1 && factory.end === PRELUDE.length + glue.length - 1;
  if (statement === undefined || factory?.type !== 'FunctionExpression' || !isWhole || others.length > 0) {
    throw new NebulaError('GLUE_REFUSED', { detail: 'it is not one function' });
  }
  const names: Names = { bound: new Set(), used: new Set() };
  walk(statement, (node, parents) => {
    const reason = reasonAgainst(node, parents, names);
    if (reason === undefined) return;
    const offset = node.start - PRELUDE.length;
    throw new NebulaError('GLUE_REFUSED', { detail: `${reason} at character ${offset}` });
  });
  const reason = reasonAgainstNames(names);
  if (reason !== undefined) throw new NebulaError('GLUE_REFUSED', { detail: reason });
}

function reasonAgainst(node: Node, parents: readonly Node[], names: Names): string | undefined {
  if (!NODE_KINDS.has(node.type)) return `it has a ${node.type}`;
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
function reasonAgainstMeta(node: Node, parent: Node | undefined): string | undefined {
  const isNewTarget = node.meta?.name === 'new' && node.property?.name === 'target';
  const isCompared =
    parent?.type === 'BinaryExpression' &&
    parent.operator === '===' &&
    parent.left === node &&
    parent.right?.type === 'Identifier';
  return isNewTarget && isCompared ? undefined : 'it has a meta property that is not compared';
}
