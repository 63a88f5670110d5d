/** Names of properties that lead from an object to what made it, or change what others see of it. */

/** Never read or written by glue. */
export const TAKEN_KEYS: readonly string[] = [
  'constructor',
  'prototype',
  '__proto__',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
  'prepareStackTrace',
  'captureStackTrace',
  'stackTraceLimit',
  'getPrototypeOf',
  'setPrototypeOf',
  'getOwnPropertyDescriptor',
  'getOwnPropertyDescriptors',
  'getOwnPropertyNames',
  'getOwnPropertySymbols',
  'defineProperties',
];

/** Nor written: a function that has one of its own is no longer called as it was. */
export const TAKEN_SLOTS: readonly string[] = [
  ...TAKEN_KEYS,
  'call',
  'apply',
  'bind',
  'toString',
  'valueOf',
  'toJSON',
  'then',
  'hasOwnProperty',
];

const KEYS: ReadonlySet<string> = new Set(TAKEN_KEYS);
const SLOTS: ReadonlySet<string> = new Set(TAKEN_SLOTS);
const LETTERS: ReadonlySet<string> = new Set(TAKEN_KEYS.map(lettersOf));

/** Whether glue may use no property of that name. */
export function isTakenKey(name: string): boolean {
  return KEYS.has(name);
}

/** Whether glue may write no property of that name. */
export function isTakenSlot(name: string): boolean {
  return SLOTS.has(name);
}

/** Whether a label of a component becomes such a name, however its words are joined. */
export function isTakenLabel(label: string): boolean {
  return LETTERS.has(lettersOf(label));
}

function lettersOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase();
}
