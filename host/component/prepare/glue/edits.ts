/** Changes to a source text by the places of its nodes. */

import { UnknownShape } from './syntax.ts';

/** A replacement of the text from `start` to `end`; text alone is put in where both are one. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The source with all edits made. Those that begin together are made in their order, and what lies within a text that is
 * replaced is replaced with it.
 * @throws UnknownShape where edits overlap otherwise
 */
export function applyEdits(source: string, edits: readonly Edit[]): string {
  let text = '';
  let at = 0;
  for (const edit of edits.toSorted((left, right) => left.start - right.start)) {
    if (edit.start < at && edit.end <= at) continue;
    if (edit.start < at) throw new UnknownShape('edits that overlap');
    text += source.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return text + source.slice(at);
}
