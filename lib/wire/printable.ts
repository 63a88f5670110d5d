/** Texts that others wrote, such as the names in a module, as a terminal may be shown them. */

/** Control and format characters, which move a cursor, colour, hide or turn text; and what ends a line. */
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const UNSHOWN_IN_LINES = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}

/** The text in one line, with `\u{1b}` in place of a character that is not shown as itself. */
export function printable(text: string): string {
  return text.replace(UNSHOWN, escape);
}

/** The same for a text of several lines, which it keeps. */
export function printableLines(text: string): string {
  return text.replace(UNSHOWN_IN_LINES, escape);
}
