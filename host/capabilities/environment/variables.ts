/** What a guest sees of its variables. */

/** Variables by name. */
export type Variables = Readonly<Record<string, string>>;

/** Those that were granted, with those that a call adds in their place. Without any it is `granted` itself. */
export function mergeVariables(granted: Variables, added: Variables | undefined): Variables {
  return added === undefined ? granted : { ...granted, ...added };
}
