/** Which folder of the sources imports which, types included: a folder is the one that a file lies in, without those below. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One import by which a folder needs another, as paths from the root. */
export interface FolderImport {
  readonly from: string;
  readonly to: string;
}

const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const RELATIVE_IMPORT = /^(?:import|export)\s[^;'"]*?'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;

/** Paths of all TypeScript files below some folders. */
function sourcesIn(root: string, folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !/(^|\/)node_modules\//.test(path))
      .map((path) => join(folder, path)),
  );
}

/** Every import from one folder into another, by `import`, `import type`, `export ... from` and `import()`. */
export function folderImports(root: string, folders: readonly string[]): FolderImport[] {
  return sourcesIn(root, folders).flatMap((from) => {
    const source = readFileSync(join(root, from), 'utf8').replaceAll(COMMENT, '');
    return Array.from(source.matchAll(RELATIVE_IMPORT), ([, named, loaded]) => ({
      from,
      to: join(dirname(from), (named ?? loaded) as string),
    })).filter(({ to }) => dirname(to) !== dirname(from));
  });
}

/** The shortest way from a folder to another, as the imports that it is made of; undefined when there is none. */
function wayTo(
  goal: string,
  start: string,
  importsOf: ReadonlyMap<string, readonly FolderImport[]>,
): FolderImport[] | undefined {
  const ways = new Map<string, FolderImport[]>([[start, []]]);
  for (const [folder, way] of ways) {
    if (folder === goal) return way;
    for (const each of importsOf.get(folder) ?? []) {
      const next = dirname(each.to);
      if (!ways.has(next)) ways.set(next, [...way, each]);
    }
  }
  return undefined;
}

/** A shortest circle of folders through one below `above`, as the imports that close it; undefined when there is none. */
export function folderCircle(imports: readonly FolderImport[], above = ''): FolderImport[] | undefined {
  // One import stands for all between the same two folders.
  const pairs = [...new Map(imports.map((each) => [`${dirname(each.from)} ${dirname(each.to)}`, each])).values()];
  const importsOf = new Map<string, FolderImport[]>();
  for (const each of pairs) {
    const folder = dirname(each.from);
    importsOf.set(folder, [...(importsOf.get(folder) ?? []), each]);
  }
  const circles = pairs.flatMap((first) => {
    if (!first.from.startsWith(above)) return [];
    const back = wayTo(dirname(first.from), dirname(first.to), importsOf);
    return back === undefined ? [] : [[first, ...back]];
  });
  return circles.sort((left, right) => left.length - right.length)[0];
}
