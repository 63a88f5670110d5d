/** Walks the syntax tree of the glue. Nodes: github.com/estree/estree, of which only the part that is looked at has types. */

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Parses a script to its syntax tree. */
export type Parse = (source: string) => { readonly body: readonly Node[] };

/** Thrown for glue of a shape that is not known. */
export class UnknownShape extends Error {
  constructor(what = 'glue') {
    super(`the transpiler made code of an unknown shape: ${what}`);
    this.name = 'UnknownShape';
  }
}

/** Calls `visit` for a node and all below it, outer ones first; into those for which it answers false it does not go. */
export function walk(root: Node, visit: (node: Node, parents: readonly Node[]) => boolean): void {
  const parents: Node[] = [];
  /** Nodes to visit, the next one last; undefined stands for the end of the last parent. */
  const left: (Node | undefined)[] = [root];
  while (left.length > 0) {
    const node = left.pop();
    if (node === undefined) parents.pop();
    else if (visit(node, parents)) {
      parents.push(node);
      left.push(undefined, ...childrenOf(node).toReversed());
    }
  }
}

export function childrenOf(node: Node): Node[] {
  const found: Node[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const each of value) add(each, found);
    else add(value, found);
  }
  return found;
}

function add(value: unknown, found: Node[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (typeof (value as { type?: unknown }).type === 'string') found.push(value as Node);
}
