/** The statements with which the glue links core modules: they set variables to the same again, and change nothing else. */

import { type Node, walk } from './syntax.ts';

/** What is called among them, besides what instantiates a core module. */
const LINKERS: ReadonlySet<string> = new Set(['_guardMayLeave']);
/** The same, of an object. */
const LINKER_METHODS: ReadonlySet<string> = new Set(['Object.assign', 'WebAssembly.promising']);

/** Nodes that change what is not a variable, or make what has a state. */
const EFFECTS =
  /^(?:UpdateExpression|NewExpression|YieldExpression|AwaitExpression|ThrowStatement|(?:For|While|DoWhile|If|Switch)\w*Statement)$/;

/** Whether a statement, and all in it but functions, only links. */
export function isLinking(statement: Node, instantiateCore: string): boolean {
  let isOnly = true;
  walk(statement, (node) => {
    if (/Function/.test(node.type)) return false;
    if (EFFECTS.test(node.type)) isOnly = false;
    if (node.type === 'UnaryExpression' && node.operator === 'delete') isOnly = false;
    if (node.type === 'CallExpression' && !isLinker(node, instantiateCore)) isOnly = false;
    if (node.type === 'AssignmentExpression') isOnly &&= isOfVariables(node);
    return isOnly;
  });
  return isOnly;
}

function isLinker({ callee }: Node, instantiateCore: string): boolean {
  if (callee?.type === 'Identifier') return callee.name === instantiateCore || LINKERS.has(callee.name ?? '');
  return LINKER_METHODS.has(`${callee?.object?.name}.${callee?.property?.name}`);
}

/** `name = ...` or `{ exports: name } = ...`. */
function isOfVariables({ operator, left }: Node): boolean {
  if (operator !== '=') return false;
  if (left?.type === 'Identifier') return true;
  const properties = left?.type === 'ObjectPattern' ? (left.properties ?? []) : undefined;
  return properties?.every(({ value }) => (value as Node | undefined)?.type === 'Identifier') === true;
}

/** Whether a statement calls a function of a name, itself and not in a function of its own. */
export function isCallOf(statement: Node, name: string): boolean {
  let found = false;
  walk(statement, (node) => {
    found ||= node.type === 'CallExpression' && node.callee?.type === 'Identifier' && node.callee.name === name;
    return !found && !/Function/.test(node.type);
  });
  return found;
}
