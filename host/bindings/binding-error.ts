/** What a binding throws to tell its guest more than that it failed. */

const BRAND: symbol = Symbol.for('nebula.binding-error');
const CODE = /^[a-z][a-z0-9-]{0,63}$/;

/** The code of an error that names none. */
export const FAILED = 'failed';

/** What a code must be, in words. */
const CODE_WORDS = '1 to 64 of a-z 0-9 - that begin with a letter';

/**
 * An error whose code and message a binding means for its guest. Of anything else that it throws the guest is told
 * nothing but that it failed.
 */
export class BindingError extends Error {
  /** What the guest's code can go by. */
  readonly code: string;

  /** @throws TypeError for a code that is none */
  constructor(message: string, options: { readonly code?: string; readonly cause?: unknown } = {}) {
    const { code = FAILED, cause } = options;
    if (typeof code !== 'string' || !CODE.test(code)) {
      throw new TypeError(`Cannot set \`code\` to ${JSON.stringify(code)}: must be ${CODE_WORDS}`);
    }
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BindingError';
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Tells a BindingError by its brand, so that two copies of the package agree. Throws nothing, whatever reading it may throw. */
export function isBindingError(value: unknown): value is BindingError {
  try {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
  } catch {
    return false;
  }
}

/** What an error means for its guest: of a BindingError whose code and message are some. Throws nothing. */
export function meantFor(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (!isBindingError(error)) return undefined;
  try {
    const { code, message }: { readonly code: unknown; readonly message: unknown } = error;
    if (typeof code !== 'string' || !CODE.test(code) || typeof message !== 'string') return undefined;
    return { code, message };
  } catch {
    return undefined;
  }
}
