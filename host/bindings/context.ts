/** What bindings are told, those of bytes and those that are raw. */

/** What a binding is told of the call of its guest. */
export interface BindingContext {
  /** The name of the function whose guest calls. */
  readonly functionName: string;
  /** Unique among all calls of this process, and the same for each binding that one call of a function calls. */
  readonly callId: string;
  /** What `invoke` was told of its caller; undefined where it was told nothing. */
  readonly caller: string | undefined;
  /** Aborts when the call ends before the binding has answered: by its deadline, its caller, or the end of its thread. */
  readonly signal: AbortSignal;
}
