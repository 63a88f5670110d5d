/**
 * The JSON file beside a test of the public WASI test suite, in both of its forms: flat, and a list of operations.
 * Sources: doc/specification.md and test-runner/wasi_test_runner/test_case.py of WebAssembly/wasi-testsuite.
 */

/** A directory a test is given. */
export interface SpecifiedDirectory {
  /** Path relative to the specification's file. */
  readonly source: string;
  /** Name of the preopen, as the test looks for it. */
  readonly guest: string;
}

/** What a stream must hold: all of it, or its beginning. */
export interface ExpectedOutput {
  readonly text: string;
  readonly isPrefix: boolean;
}

/** How a test is run and what must come of it. */
export interface Specification {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directories: readonly SpecifiedDirectory[];
  /** What stdin holds before its end; the public runner closes it at once when a test says nothing of it. */
  readonly stdin: string;
  readonly stdout?: ExpectedOutput;
  readonly stderr?: ExpectedOutput;
  readonly exitCode: number;
}

/** What holds for a test without a file. */
export const DEFAULT_SPECIFICATION: Specification = {
  arguments: [],
  environment: {},
  directories: [],
  stdin: '',
  exitCode: 0,
};

const FLAT_KEYS = ['args', 'dirs', 'root', 'env', 'stdin', 'stdout', 'stderr', 'exit_code', 'wasi_functions'];
const OPERATION_KEYS = ['operations', 'proposals'];

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a specification.
 * @throws Error naming the field, what was expected of it and what it is
 */
export function parseSpecification(text: string): Specification {
  const fields = asFields(JSON.parse(text), 'the specification');
  return 'operations' in fields || 'proposals' in fields ? parseOperations(fields) : parseFlat(fields);
}

function parseFlat(fields: Fields): Specification {
  refuseUnknown(fields, FLAT_KEYS);
  const stdout = optional(fields, 'stdout', asText);
  const stderr = optional(fields, 'stderr', asText);
  return {
    ...parseRun(fields),
    stdin: optional(fields, 'stdin', asText) ?? '',
    exitCode: optional(fields, 'exit_code', asNumber) ?? 0,
    ...(stdout === undefined ? {} : { stdout: { text: stdout, isPrefix: false } }),
    ...(stderr === undefined ? {} : { stderr: { text: stderr, isPrefix: false } }),
  };
}

function parseRun(fields: Fields): Pick<Specification, 'arguments' | 'environment' | 'directories'> {
  const root = optional(fields, 'root', asText);
  const directories = (optional(fields, 'dirs', asTexts) ?? []).map((path) => ({ source: path, guest: path }));
  return {
    arguments: optional(fields, 'args', asTexts) ?? [],
    environment: optional(fields, 'env', asVariables) ?? {},
    directories: root === undefined ? directories : [{ source: root, guest: '/' }, ...directories],
  };
}

/** `run` and `wait` once each, `write` and `read` of the standard streams between them. */
function parseOperations(fields: Fields): Specification {
  refuseUnknown(fields, OPERATION_KEYS);
  const proposals = optional(fields, 'proposals', asTexts) ?? [];
  if (proposals.length > 0) throw new Error(`Cannot run the test: it needs ${proposals.join(', ')}`);
  const { operations = [] } = fields;
  if (!Array.isArray(operations)) throw unexpected('operations', 'a list', operations);
  let specification = DEFAULT_SPECIFICATION;
  for (const operation of operations) specification = applyOperation(specification, asFields(operation, 'operations'));
  return specification;
}

function applyOperation(before: Specification, operation: Fields): Specification {
  const payload = optional(operation, 'payload', asText) ?? '';
  const id = optional(operation, 'id', asText);
  switch (operation['type']) {
    case 'run':
      return { ...before, ...parseRun(operation) };
    case 'wait':
      return { ...before, exitCode: optional(operation, 'exit_code', asNumber) ?? 0 };
    case 'write':
      if (id !== undefined && id !== 'stdin') throw unexpected('id', '"stdin"', id);
      return { ...before, stdin: before.stdin + payload };
    case 'read': {
      if (id === 'stderr') return { ...before, stderr: append(before.stderr, payload) };
      if (id !== undefined && id !== 'stdout') throw unexpected('id', '"stdout" or "stderr"', id);
      return { ...before, stdout: append(before.stdout, payload) };
    }
    default:
      throw unexpected('type', '"run", "write", "read" or "wait"', operation['type']);
  }
}

/** A `read` takes as many bytes as it expects and leaves the rest. */
function append(before: ExpectedOutput | undefined, text: string): ExpectedOutput {
  return { text: (before?.text ?? '') + text, isPrefix: true };
}

function refuseUnknown(fields: Fields, known: readonly string[]): void {
  const unknown = Object.keys(fields).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`Cannot read the specification: unknown field ${unknown.join(', ')}`);
}

function optional<T>(fields: Fields, key: string, parse: (value: unknown, key: string) => T): T | undefined {
  const value = fields[key];
  return value === undefined || value === null ? undefined : parse(value, key);
}

function asText(value: unknown, key: string): string {
  if (typeof value !== 'string') throw unexpected(key, 'text', value);
  return value;
}

function asNumber(value: unknown, key: string): number {
  if (typeof value !== 'number') throw unexpected(key, 'a number', value);
  return value;
}

function asTexts(value: unknown, key: string): string[] {
  if (!Array.isArray(value)) throw unexpected(key, 'a list of text', value);
  return value.map((item) => asText(item, key));
}

function asVariables(value: unknown, key: string): Record<string, string> {
  const fields = asFields(value, key);
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, asText(text, key)]));
}

function asFields(value: unknown, key: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unexpected(key, 'an object', value);
  return value as Fields;
}

function unexpected(key: string, expected: string, got: unknown): Error {
  return new Error(`Cannot read the specification: expected \`${key}\` to be ${expected}, got ${JSON.stringify(got)}`);
}
