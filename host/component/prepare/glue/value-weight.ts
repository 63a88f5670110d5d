/** How much memory of the host's the values of a list take: read off the glue that makes them, before it makes any. */

import { childrenOf, type Node } from './syntax.ts';

/** Of an array, object or other value of its own; measured with V8 of Node 20 to 24, rounded up. */
const OBJECT_BYTES = 32;
/** Of one element or property. */
const SLOT_BYTES = 8;
/** Of a resource: an object, its two properties and their shape. */
const RESOURCE_BYTES = 160;

/**
 * Bytes that one turn of a loop's body takes, besides those of its strings and lists, which are counted where they are
 * made. Of alternatives the largest counts.
 */
export function weightOf(body: Node): number {
  return SLOT_BYTES + weigh(body);
}

function weigh(node: Node): number {
  const children = childrenOf(node);
  const weights = children.map((child) => weigh(child));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  switch (node.type) {
    case 'ForStatement':
      return OBJECT_BYTES;
    case 'SwitchStatement':
    case 'IfStatement':
    case 'ConditionalExpression':
      return Math.max(...weights);
    case 'ArrayExpression':
    case 'ObjectExpression':
      return sum + OBJECT_BYTES + SLOT_BYTES * children.length;
    case 'CallExpression':
      return sum + (isCreate(node) ? RESOURCE_BYTES : 0);
    default:
      return sum;
  }
}

/** `Object.create(...)`, with which the glue makes a resource. */
export function isCreate(node: Node | undefined): boolean {
  return node?.callee?.property?.name === 'create';
}
