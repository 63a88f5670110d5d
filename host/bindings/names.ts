/** What bindings and their functions may be called. A guest calls one as `binding.function`. */

/** The name of a binding. */
export const BINDING_NAME = '^[a-z][a-z0-9-]{0,63}$';

/** The name of a function of a binding. */
export const FUNCTION_NAME = '^[A-Za-z][A-Za-z0-9_-]{0,63}$';

/** The longest name that a guest can call, in bytes. */
export const LONGEST_NAME_BYTES = 129;
