/**
 * What the energy instruments could not do: one table of codes, one class. Apart from the table of host/errors.ts,
 * because this folder also runs alone on a board. A test holds the table of hardware/README.md equal to this one.
 */

/** Each code's message (what, expected, got) and what to do about it, both with `{field}` placeholders. */
export const HARDWARE_ERRORS = {
  ARGUMENT: ['Cannot use {what}: expected {expected}, got {got}', 'Correct the argument.'],
  NO_PINS: [
    'Cannot mark on GPIO{pin}: expected {path}, which does not exist',
    'Run on a board with GPIO pins and a kernel with CONFIG_GPIO_SYSFS (gpio:) or CONFIG_GPIO_CDEV (gpiochip:), or choose the marker none.',
  ],
  NO_PERMISSION: [
    'Cannot mark on GPIO{pin}: {path} may not be written by user id {uid}',
    'Add the user to the group gpio (sudo usermod -aG gpio USER) and log in again.',
  ],
  LEGACY_SYSFS: [
    'Cannot mark on GPIO{pin}: this kernel has GPIO lines by chip only ({path}), not the global numbers that onoff needs',
    'Choose the marker gpiochip:{pin}, or boot a kernel with CONFIG_GPIO_SYSFS_LEGACY=y or one before 6.17.',
  ],
  PIN_UNKNOWN: [
    'Cannot find GPIO{pin}: expected a BCM number that one of these chips has: {chips}',
    'Give the BCM number of the pin, not its place on the header.',
  ],
  PIN_REFUSED: [
    'Cannot export GPIO{pin} as line {line}: {detail}',
    'See that no overlay or other program holds the pin (sudo gpioinfo), or take another one.',
  ],
  PACKAGE_MISSING: [
    'Cannot load the optional package {package}: {detail}',
    'Install it: npm install {package} (native parts need python3, make and g++).',
  ],
  MAIN_THREAD: [
    'Cannot open GPIO pins in a worker thread: the native part of onoff has state per process',
    'Open the marker on the main thread.',
  ],
  MARKER_CLOSED: ['Cannot mark {id}: the marker is closed', 'Open a new marker.'],
  MARKER_ORDER: [
    'Cannot mark the {kind} of {id}: expected {expected}, got {got}',
    'Give each window its own id and let windows on one line not overlap.',
  ],
  EDGES_INVALID: [
    'Cannot read the edges of {what}: expected {expected}, got {got}',
    'Check the recording and its units.',
  ],
  NO_SYNC: [
    'Cannot tie the logger to the host: expected one sync burst with at least {expected} of {edges} edges, best has {got}',
    'See that the marker pin and ground reach the logger and that it recorded the whole session.',
  ],
  NO_LOAD: [
    'Cannot tie the log to the host by its power: expected a sync load with a correlation of at least {expected} that leaves at most {share} of what any other place leaves unexplained, got {got}',
    'See that the log has the whole session, that the meter is on this machine, and choose longer units (--marker load?unit=SECONDS).',
  ],
  BAD_FIT: [
    'Cannot trust the clock fit: {what} is {got}, expected {expected}',
    'Record again with a shorter session or steadier clocks; see the residuals.',
  ],
  TRACE_INVALID: [
    'Cannot read the power trace of {source}: expected {expected}, got {got}',
    'Check the recording and its units.',
  ],
  UNCOVERED: [
    'Cannot give the energy of {startS} s to {endS} s: {uncoveredS} s have no samples, at most {limitS} s may',
    'Record again without lost samples, or raise the limit and say so.',
  ],
  LOG_FORMAT: [
    'Cannot read the log as {format}: expected {expected}, got {got}',
    'Name the right format; hardware/README.md lists them.',
  ],
  LOG_VOLTAGE: [
    'Cannot turn the currents of a {format} log into power: it has no voltage',
    'Give the supply voltage (--vdd 5.0).',
  ],
  NO_SOURCE: [
    'Cannot measure power: no {source} at {path}',
    'Choose a source that this machine has (nebula meter list).',
  ],
  SOURCE_DENIED: ['Cannot read {source} at {path}: {detail}', 'Run as root or allow the file to be read.'],
  SOURCE_UNREACHABLE: [
    'Cannot reach {source} at {address}: {detail}',
    'See that the meter is on, and check address and account.',
  ],
  SOURCE_PAYLOAD: [
    'Cannot read an answer of {source}: expected {expected}, got {got}',
    'Check the model and the topic or address of the meter.',
  ],
  SOURCE_SLOW: [
    'Cannot resolve batches by {source}: it shows a change of power after {responseS} s, batches of {batchS} s would be needed, at most {limitS} s are made',
    'Take a source that renews its value more often (nebula meter probe tells how often).',
  ],
  RECORDING_FAILED: [
    'Cannot write the recording {path}: {detail}',
    'Name a new file in a folder that exists and has room.',
  ],
} as const;

/** A key of the table. */
export type HardwareErrorName = keyof typeof HARDWARE_ERRORS;

/** A code as callers see it. */
export type HardwareErrorCode = `ERR_NEBULA_HARDWARE_${HardwareErrorName}`;

/** Values for the placeholders. */
export type HardwareErrorFields = Readonly<Record<string, string | number>>;

function filled(template: string, fields: HardwareErrorFields): string {
  return template.replace(/\{(\w+)\}/g, (whole, field: string) => String(fields[field] ?? whole));
}

/** What an instrument could not do. `code` is stable, `fields` hold what the message names, `remedy` says what to do. */
export class HardwareError extends Error {
  readonly code: HardwareErrorCode;
  readonly key: HardwareErrorName;
  readonly fields: HardwareErrorFields;
  readonly remedy: string;
  /** The message without the remedy. */
  readonly problem: string;

  constructor(key: HardwareErrorName, fields: HardwareErrorFields = {}, options?: { cause?: unknown }) {
    const [message, remedy] = HARDWARE_ERRORS[key];
    const problem = filled(message, fields);
    super(`${problem}. ${filled(remedy, fields)}`, options);
    this.name = 'HardwareError';
    this.key = key;
    this.code = `ERR_NEBULA_HARDWARE_${key}`;
    this.fields = fields;
    this.problem = problem;
    this.remedy = filled(remedy, fields);
  }
}

/** The message of anything that was thrown; packages also throw objects that are no Error. */
export function detailOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : undefined;
  return typeof message === 'string' ? message : String(error);
}

/** The `code` of a system error, or undefined. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
