/**
 * Takes the bookkeeping of tasks out of calls into the host. jco makes a task and a subtask for each, with promises, handlers
 * and words for its log, so that either side could wait; here a host function answers at once, and a guest without
 * asynchronous functions (prepare/entries.ts) can ask for neither. What such a call checks besides stays where it is: that
 * the guest may leave its instance, its handles, its values.
 */

import { TRAMPOLINE } from './bounded-values.ts';
import { LIFT_LOWER } from './contract.ts';
import { applyEdits, type Edit } from './edits.ts';
import { type FunctionNode, type Node, parseFunction, walk } from './syntax.ts';

/** What is asked of a task while its function runs: `LiftLower.task` has it. */
const TASK_METHODS: ReadonlySet<string> = new Set([
  'enterSync',
  'componentIdx',
  'id',
  'getParentSubtask',
  'setErrored',
  'reject',
  'resolve',
  'exit',
]);

interface Declarator extends Node {
  readonly init?: Node | null;
}

/** `instantiate` of jco's whose calls into the host are direct, where they are of the known shape. @throws SyntaxError */
export function directCalls(instantiate: string): string {
  const glue = parseFunction(instantiate);
  const edits: Edit[] = [];
  const direct: Map<string, FunctionNode> = new Map();
  walk(glue, (node) => {
    const { id, init } = node as Declarator;
    if (node.type !== 'VariableDeclarator' || !TRAMPOLINE.test(id?.name ?? '')) return true;
    const own = init?.type === 'FunctionExpression' ? directBody(init as FunctionNode, instantiate) : undefined;
    if (own === undefined) return true;
    edits.push(...own);
    direct.set(id?.name ?? '', init as FunctionNode);
    return false;
  });
  walk(glue, (node) => directLowering(node, direct, edits) ?? dropLog(node, edits));
  return applyEdits(instantiate, edits.toSorted(outerFirst));
}

/** What lies within a text that is replaced is replaced with it. */
function outerFirst(left: Edit, right: Edit): number {
  return left.start - right.start || right.end - left.end;
}

/** `_debugLog(...)`, whose arguments are made for nobody. */
function dropLog(node: Node, edits: Edit[]): boolean {
  if (node.type !== 'CallExpression' || node.callee?.name !== '_debugLog') return true;
  edits.push({ start: node.start, end: node.end, text: '0' });
  return false;
}

/** Edits that make a trampoline call its host function itself, or undefined where it is of another shape. */
function directBody({ body, params }: FunctionNode, source: string): Edit[] | undefined {
  if (params.some(({ type }) => type !== 'Identifier')) return undefined;
  const edits: Edit[] = [];
  const found = { task: '', creations: 0, calls: 0, isKnown: true };
  const resolved: string[] = [];
  const returned: string[] = [];
  walk(body, (node, parents) => {
    const { id, init } = node as Declarator;
    if (node.type === 'VariableDeclarator' && id?.name === 'createTask' && init) {
      found.task = taskOf(init) ?? '';
      edits.push({ start: init.start, end: init.end, text: '0' });
      return false;
    }
    if (node.type === 'LabeledStatement' && (node as { readonly label?: Node }).label?.name === 'taskCreation') {
      found.creations++;
      edits.push({ start: node.start, end: node.end, text: `${found.task}=${LIFT_LOWER}.task;` });
      return false;
    }
    const called = hostCall(node);
    if (called !== undefined) {
      found.calls++;
      edits.push({ start: node.start, end: node.end, text: `(${source.slice(called.start, called.end)})` });
      return false;
    }
    const { callee } = node;
    if (node.type === 'CallExpression' && callee?.object?.name === found.task && found.task !== '') {
      found.isKnown &&= TASK_METHODS.has(callee.property?.name ?? '') && callee.computed !== true;
      if (callee.property?.name === 'resolve') resolved.push(onlyElement(node.arguments, source));
    }
    if (node.type === 'ReturnStatement' && !isNested(parents)) returned.push(lastOf(node, source));
    return dropLog(node, edits);
  });
  const isWhole = found.isKnown && found.task !== '' && found.creations === 1 && found.calls === 1;
  // The guest is answered by what the trampoline returns, in place of what its task was told.
  const isAnswered = returned.length === 0 ? resolved.length > 0 : String(resolved) === String(returned);
  return isWhole && isAnswered ? edits : undefined;
}

/** The variable in `() => { task = createNewCurrentTask(...)[0] }`, of a task of the host's. */
function taskOf(init: Node): string | undefined {
  const [statement, ...others] = (init as { readonly body?: { readonly body?: readonly Node[] } }).body?.body ?? [];
  const assigned = statement?.expression as Node | undefined;
  const isOfHost = assigned?.right?.object?.callee?.name === 'createNewCurrentTask';
  return isOfHost && others.length === 0 ? assigned.left?.name : undefined;
}

/** What is called in `_withGlobalCurrentTaskMeta({ ..., fn: () => _trackHostOperation(() => call) })`. */
function hostCall(node: Node): Node | undefined {
  if (node.type !== 'CallExpression' || node.callee?.name !== '_withGlobalCurrentTaskMeta') return undefined;
  const fn = node.arguments?.[0]?.properties?.find(({ key }) => key?.name === 'fn')?.value as Node | undefined;
  const tracked = bodyOf(fn);
  if (tracked?.callee?.name !== '_trackHostOperation') return undefined;
  return bodyOf(tracked.arguments?.[0]);
}

function bodyOf(fn: Node | undefined): Node | undefined {
  const { body } = (fn ?? {}) as { readonly body?: Node };
  return fn?.type === 'ArrowFunctionExpression' && body?.type !== 'BlockStatement' ? body : undefined;
}

function isNested(parents: readonly Node[]): boolean {
  return parents.some(({ type }) => /Function/.test(type));
}

/** The text of the element in `[element]`. */
function onlyElement(given: readonly Node[] | undefined, source: string): string {
  const { elements = [] } = (given?.[0] ?? {}) as { readonly elements?: readonly Node[] };
  const [only] = elements;
  return only === undefined || elements.length > 1 ? '' : source.slice(only.start, only.end);
}

/** The text of what a statement returns, the last of a sequence. */
function lastOf(statement: Node, source: string): string {
  const { argument } = statement as { readonly argument?: Node | null };
  const last =
    (argument as { readonly expressions?: readonly Node[] } | null | undefined)?.expressions?.at(-1) ?? argument;
  return last === null || last === undefined ? '' : source.slice(last.start, last.end);
}

/**
 * `may wait ? new WebAssembly.Suspending(...) : _lowerImportBackwardsCompat.bind(null, { ... })`, with which a core module
 * imports a trampoline. Answers false where it is replaced, undefined where it is something else.
 */
function directLowering(node: Node, direct: ReadonlyMap<string, FunctionNode>, edits: Edit[]): false | undefined {
  const { test, alternate } = node as Node & { readonly test?: Node; readonly alternate?: Node };
  const { callee } = alternate ?? {};
  const isLowering =
    node.type === 'ConditionalExpression' &&
    callee?.object?.name === '_lowerImportBackwardsCompat' &&
    callee.property?.name === 'bind';
  if (!isLowering) return undefined;
  const told = (name: string): Node | undefined =>
    alternate?.arguments?.[1]?.properties?.find(({ key }) => key?.name === name)?.value as Node | undefined;
  const name = told('importFn')?.name ?? '';
  const trampoline = direct.get(name);
  const component = told('componentIdx')?.value;
  const isPlain = isFalse(told('isAsync')) && isFalse(told('funcTypeIsAsync')) && typeof component === 'number';
  if (trampoline === undefined || !isPlain || test?.object?.name !== name) return undefined;
  const given = trampoline.params.map((_, at) => `a${at}`).join(',');
  const text = `(${given})=>{_checkMayLeave(${component});return ${name}(${given})}`;
  edits.push({ start: node.start, end: node.end, text: `(${text})` });
  return false;
}

/** `false`, or `!1`. */
function isFalse(node: Node | undefined): boolean {
  const { argument } = (node ?? {}) as { readonly argument?: Node };
  return node?.value === false || (node?.operator === '!' && argument?.value === 1);
}
