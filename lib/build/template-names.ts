/** What `nebula new --template` takes. */

/** The languages there is a template for. */
export const TEMPLATES = ['rust', 'js', 'ts', 'c', 'python-script'] as const;

/** One of TEMPLATES. */
export type Template = (typeof TEMPLATES)[number];
