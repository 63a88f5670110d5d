/** Reads the world of a component out of its WIT text, as wasm-tools prints it. */

/** What a component imports and exports: interfaces with their versions, and functions of the world itself. */
export interface World {
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

const ITEM = /^ {2}(import|export) ([^;:\s]+(?::[^;:\s]+)?)(: [^;]*)?[;{]?/;

/** The items of `world root`. */
export function readWorld(wit: string): World {
  const imports: string[] = [];
  const exports: string[] = [];
  let inWorld = false;
  for (const line of wit.split('\n')) {
    if (line.startsWith('world ')) inWorld = true;
    else if (line === '}') inWorld = false;
    const match = inWorld ? ITEM.exec(line) : null;
    if (match === null) continue;
    (match[1] === 'import' ? imports : exports).push((match[2] as string).replace(/:$/, ''));
  }
  return { imports, exports };
}

/** `wasi:io/streams@0.2.3` in its parts; undefined for what is no interface of a package. */
export function parseInterface(
  text: string,
): { readonly id: string; readonly package: string; readonly version: string | undefined } | undefined {
  const match = /^(([\w-]+:[\w-]+)\/[\w-]+)(?:@(.+))?$/.exec(text);
  if (match === null) return undefined;
  return { id: match[1] as string, package: match[2] as string, version: match[3] };
}
