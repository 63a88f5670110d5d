/** Reads what the tests of the documents need out of Markdown. */

/** A fenced block of code. */
export interface Block {
  readonly language: string;
  /** What stands behind the language; empty when nothing does. */
  readonly title: string;
  readonly code: string;
}

/** A command of a `sh` block, and the lines behind it that say what it prints. */
export interface Step {
  readonly command: string;
  /** undefined: anything (`# ...`). */
  readonly expected: string | undefined;
}

export function blocksOf(markdown: string): readonly Block[] {
  return Array.from(
    markdown.matchAll(/^```(\w+)([^\n]*)\n(.*?)^```$/gms),
    ([, language = '', title = '', code = '']) => ({ language, title: title.trim(), code }),
  );
}

/** The commands of a block: lines that begin with `# ` are what the command before them prints. */
export function stepsOf(code: string): readonly Step[] {
  const steps: { command: string; printed: string[] }[] = [];
  for (const line of code.replaceAll('\\\n', ' ').split('\n')) {
    const printed = /^# ?(.*)$/.exec(line);
    if (printed !== null) steps.at(-1)?.printed.push(`${printed[1]}\n`);
    else if (line.trim() !== '') steps.push({ command: line, printed: [] });
  }
  return steps.map(({ command, printed }) => ({
    command,
    expected: printed[0] === '...\n' ? undefined : printed.join(''),
  }));
}

/** The cells of every table row, without the ticks around code. */
export function rowsOf(markdown: string): readonly (readonly string[])[] {
  return Array.from(markdown.matchAll(/^\|(.+)\|$/gm), ([, row = '']) =>
    row.split('|').map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** Targets of links, without those to other sites. */
export function linksOf(markdown: string): readonly string[] {
  const withoutCode = markdown.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
  return Array.from(withoutCode.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target).filter(
    (target) => !/^[a-z]+:/.test(target),
  );
}

/** Anchors of a document's headings, as GitHub names them. */
export function anchorsOf(markdown: string): readonly string[] {
  const withoutCode = markdown.replaceAll(/^```.*?^```$/gms, '');
  return Array.from(withoutCode.matchAll(/^#+ (.+)$/gm), ([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
