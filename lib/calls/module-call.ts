/** A call of an exported function of a core module: its values held against the function's type, before anything runs. */

import { argumentError, NebulaError } from '../../host/errors.ts';
import { CORE_TYPES, type CoreType, type CoreValue, type ExportCall, type ExportType } from '../../host/export-call.ts';
import type { ExportInfo } from '../../host/module/inspect.ts';

const [MOST_SIGNED_32, MOST_UNSIGNED_32] = [2 ** 31, 2 ** 32] as const;
const [MOST_SIGNED_64, MOST_UNSIGNED_64] = [2n ** 63n, 2n ** 64n] as const;

/** What a value of each type is to a caller, and how to tell one. Integers may be given as signed or as unsigned. */
const VALUES: Readonly<Record<CoreType, readonly [expected: string, isOne: (value: unknown) => boolean]>> = {
  i32: [
    `an integer from ${-MOST_SIGNED_32} to ${MOST_UNSIGNED_32 - 1}, an i32`,
    (value) => Number.isInteger(value) && isBetween(value as number, -MOST_SIGNED_32, MOST_UNSIGNED_32),
  ],
  i64: [
    `a bigint from ${-MOST_SIGNED_64} to ${MOST_UNSIGNED_64 - 1n}, an i64`,
    (value) => typeof value === 'bigint' && isBetween(value, -MOST_SIGNED_64, MOST_UNSIGNED_64),
  ],
  f32: ['a number, an f32', (value) => typeof value === 'number'],
  f64: ['a number, an f64', (value) => typeof value === 'number'],
};

function isBetween<Value extends number | bigint>(value: Value, least: Value, end: Value): boolean {
  return value >= least && value < end;
}

/**
 * The call that a caller asks for.
 * @param name the function's
 * @param exports what its module exports
 * @throws NebulaError ENTRY_MISMATCH for an export that is not there or has a type that no caller can give or take; TypeError
 * or RangeError for another number of values, or one of another type
 */
export function toExportCall(
  name: string,
  exports: readonly ExportInfo[],
  path: string,
  values: readonly unknown[],
): ExportCall {
  const type = exports.find((each) => each.name === path && each.kind === 'function')?.type;
  if (type === undefined) {
    const functions = exports.flatMap((each) => (each.type === undefined ? [] : [signatureOf(each.name, each.type)]));
    throw new NebulaError('ENTRY_MISMATCH', { name, expected: JSON.stringify(path), exports: functions.join(', ') });
  }
  const { parameters, results } = type;
  if (![...parameters, ...results].every(isCoreType)) {
    const expected = `${JSON.stringify(path)} to take and give ${CORE_TYPES.join(', ')} alone`;
    throw new NebulaError('ENTRY_MISMATCH', { name, expected, exports: signatureOf(path, type) });
  }
  if (values.length !== parameters.length) {
    const expected = `of the ${parameters.length} parameters of ${signatureOf(path, type)}`;
    throw argumentError('values.length', expected, values.length);
  }
  parameters.forEach((parameter, index) => {
    const [expected, isOne] = VALUES[parameter as CoreType];
    if (!isOne(values[index])) {
      throw argumentError(`values[${index}]`, `${expected}, of ${signatureOf(path, type)}`, values[index]);
    }
  });
  return { name: path, values: [...values] as CoreValue[] };
}

function isCoreType(type: string): type is CoreType {
  return (CORE_TYPES as readonly string[]).includes(type);
}

/** A function with its type, such as `add(i32, i32) -> i32`. */
function signatureOf(name: string, { parameters, results }: ExportType): string {
  return `${name}(${parameters.join(', ')})${results.length === 0 ? '' : ` -> ${results.join(', ')}`}`;
}

/** What a function answered as its caller has it: nothing, the one value, or all of several. */
export function answerOf(values: readonly CoreValue[]): CoreValue | readonly CoreValue[] | undefined {
  return values.length > 1 ? values : values[0];
}
