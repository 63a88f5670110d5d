/**
 * Marks in jco's glue what core modules import of it that may wait, by the property that jco keeps for that. Whoever links the
 * core modules can suspend the guest there; all else is called as it is (vm/core-instances.ts).
 */

import { MAY_WAIT } from './contract.ts';
import { applyEdits, type Edit } from './edits.ts';
import { type Node, parseFunction, walk } from './syntax.ts';

/**
 * Functions of wasi:io that wait until something is ready, as jco names them, and what core modules call them with: `i` is an
 * i32, `I` an i64. None has a result of its own. Source: WASI 0.2, wasi:io; component model, CanonicalABI.md, "Flattening".
 */
const WAITING: Readonly<Record<string, string>> = {
  'poll#block': 'i',
  'poll#poll': 'iii',
  'streams#blockingRead': 'iIi',
  'streams#blockingSkip': 'iIi',
  'streams#blockingWriteAndFlush': 'iiii',
  'streams#blockingFlush': 'ii',
  'streams#blockingWriteZeroesAndFlush': 'iIi',
  'streams#blockingSplice': 'iiIi',
};

/** An interface of wasi:io with its version, and a function. */
const OF_IO = /^wasi:io\/(\w+)@[^#]*#(\w+)$/;

interface Declarator extends Node {
  readonly init?: Node | null;
}

/** `instantiate` of jco's in which what may wait is marked. @throws SyntaxError */
export function waitingImports(instantiate: string): string {
  const glue = parseFunction(instantiate);
  const edits: Edit[] = [];
  const waiting: Map<string, string> = new Map();
  const imported: Map<string, string> = new Map();
  walk(glue, (node) => {
    const { left, right } = node;
    const isNamed = node.type === 'AssignmentExpression' && left?.property?.name === 'fnName';
    const parameters = isNamed ? parametersOf(textOf(right)) : undefined;
    if (parameters !== undefined) waiting.set(left?.object?.name ?? '', parameters);
    if (node.type === 'VariableDeclarator') noteImport(node, imported);
    return true;
  });
  walk(glue, (node) => {
    const mark = markOf(node);
    const parameters = mark === undefined ? undefined : waiting.get(imported.get(mark.name) ?? '');
    if (mark !== undefined && parameters !== undefined) edits.push({ ...mark, text: `'${parameters}'` });
    return true;
  });
  return applyEdits(instantiate, edits);
}

function parametersOf(fnName: string): string | undefined {
  const [, id, name] = OF_IO.exec(fnName) ?? [];
  const key = `${id}#${name}`;
  return Object.hasOwn(WAITING, key) ? WAITING[key] : undefined;
}

/** `name = may wait ? ... : _lowerImportBackwardsCompat.bind(null, { ..., importFn: trampoline })` */
function noteImport({ id, init }: Declarator, imported: Map<string, string>): void {
  const { alternate } = (init ?? {}) as { readonly alternate?: Node };
  const lowering = alternate ?? init;
  const told = lowering?.arguments?.[1]?.properties?.find(({ key }) => key?.name === 'importFn');
  const { name } = (told?.value ?? {}) as { readonly name?: string };
  if (name !== undefined) imported.set(id?.name ?? '', name);
}

/** Where in `Object.assign(name, { _jcoMaySuspend: !1 })` it says that it does not. */
function markOf({
  type,
  callee,
  arguments: given,
}: Node): (Pick<Edit, 'start' | 'end'> & { name: string }) | undefined {
  if (type !== 'CallExpression' || callee?.property?.name !== 'assign') return undefined;
  const told = given?.[1]?.properties?.find(({ key }) => key?.name === MAY_WAIT)?.value as Node | undefined;
  const { name } = given?.[0] ?? {};
  return told === undefined || name === undefined ? undefined : { name, start: told.start, end: told.end };
}

/** The text of a literal, or of a template without parts. */
function textOf(node: Node | undefined): string {
  const { quasis } = (node ?? {}) as { readonly quasis?: readonly { readonly value: { readonly cooked: string } }[] };
  if (typeof node?.value === 'string') return node.value;
  return quasis?.length === 1 ? (quasis[0]?.value.cooked ?? '') : '';
}
