/**
 * Takes asynchronous functions out of the glue. jco writes them for exports that may suspend, of which a component here has
 * none (prepare/entries.ts): what runs later runs under no deadline, and a promise that is rejected ends a process.
 */

import { applyEdits, type Edit } from './edits.ts';
import { type FunctionNode, type Node, parseGlue, walk } from './syntax.ts';

const BODY = '{throw new TypeError("asynchronous")}';

/**
 * The same glue with each asynchronous function as one that answers at once, or throws where it would wait.
 * @throws SyntaxError
 */
export function synchronousGlue(glue: string): string {
  const edits: Edit[] = [];
  for (const statement of parseGlue(glue)) walk(statement, (node, parents) => settle(node, parents, glue, edits));
  return applyEdits(glue, edits);
}

/** Answers whether to go on into the node. */
function settle(node: Node, parents: readonly Node[], glue: string, edits: Edit[]): boolean {
  if (node.async !== true) return true;
  const { type, start, end, params, body } = node as FunctionNode;
  const { key, start: owner } = methodOf(node, parents) ?? { key: undefined, start };
  edits.push(withoutKeyword(glue, owner, key?.start ?? params[0]?.start ?? body.start));
  if (!waits(body)) return true;
  // The body of an arrow function may stand in parentheses, which are no node.
  const from = type === 'ArrowFunctionExpression' ? glue.indexOf('=>', params.at(-1)?.end ?? start) + 2 : body.start;
  edits.push({ start: from, end, text: BODY });
  return false;
}

/** Whether a function's body waits itself, and not only functions in it. */
function waits(body: Node): boolean {
  let found = false;
  walk(body, (node) => {
    found ||= node.type === 'AwaitExpression' || (node as { readonly await?: boolean }).await === true;
    return !found && !/Function/.test(node.type);
  });
  return found;
}

/** The method or property that has the function for its value: the keyword stands before its name. */
function methodOf(node: Node, parents: readonly Node[]): (Node & { readonly key: Node }) | undefined {
  const parent = parents.at(-1) as (Node & { readonly key: Node; readonly method?: boolean }) | undefined;
  const isMethod = parent?.type === 'MethodDefinition' || (parent?.type === 'Property' && parent.method === true);
  return isMethod && parent.value === node ? parent : undefined;
}

function withoutKeyword(glue: string, start: number, end: number): Edit {
  const found = start + glue.slice(start, end).search(/\basync\b/);
  return { start: found, end: found + 'async'.length, text: '' };
}
