/** Reads what the tests of the documents need out of Markdown. */

/** A fenced block of code. */
export interface Block {
  readonly language: string;
  /** The file that it is, as it stands behind the language; empty when it is none. */
  readonly name: string;
  /** Parts that it cannot do without (`needs=rust,curl`). */
  readonly needs: readonly string[];
  readonly code: string;
}

/** A command of a `sh` block, and the lines behind it that say what it prints. */
export interface Step {
  readonly command: string;
  /** What it prints; `...` stands for anything. */
  readonly expected: string;
}

export function blocksOf(markdown: string): readonly Block[] {
  return Array.from(
    markdown.matchAll(/^```(\w+)([^\n]*)\n(.*?)^```$/gms),
    ([, language = '', about = '', code = '']) => {
      const words = about.split(' ').filter((word) => word !== '');
      const needs = words.flatMap((word) => /^needs=(.+)$/.exec(word)?.[1]?.split(',') ?? []);
      return { language, name: words.find((word) => !word.includes('=')) ?? '', needs, code };
    },
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
  return steps.map(({ command, printed }) => ({ command, expected: printed.join('') }));
}

/** Whether a command printed what is shown, up to a missing line break at the end; `...` stands for anything but nothing. */
export function isShown(printed: string, shown: string): boolean {
  const parts = shown.split('...').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.+?')}$`, 's').test(printed.replace(/\n?$/, printed === '' ? '' : '\n'));
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
