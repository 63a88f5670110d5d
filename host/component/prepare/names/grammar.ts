/** Names of the component model. Source: component model, design/mvp/Explainer.md, "Import and Export Definitions". */

import { isTakenLabel } from '../glue/taken-names.ts';

const WORD = '[a-zA-Z][0-9a-zA-Z]*(?:-[0-9a-zA-Z]+)*';
const LABEL: RegExp = new RegExp(`^${WORD}$`);
/** A label, what belongs to a resource, or an interface of a package with the version it may have. */
const EXTERN_NAME: RegExp = new RegExp(
  `^(?:${WORD}|\\[constructor\\]${WORD}|\\[(?:method|static)\\]${WORD}\\.${WORD}|${WORD}(?::${WORD})+(?:/${WORD})+(?:@[0-9][0-9A-Za-z.+-]*)?)$`,
);
const LABELS: RegExp = new RegExp(WORD, 'g');

/** Whether a text may name a parameter, a field, a case or a flag. */
export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

/** Whether a text may name an import or an export; names by URL, hash or dependency are of the grammar, but nothing here links them. */
export function isExternName(text: string): boolean {
  return EXTERN_NAME.test(text);
}

/** The first label of a name that JavaScript has taken, if there is one. The `[constructor]` of a resource is no label. */
export function takenLabel(text: string): string | undefined {
  const labels = text.replace(/^\[\w+\]/, '').match(LABELS) ?? [];
  return labels.find(isTakenLabel);
}
