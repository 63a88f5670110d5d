/** What components written as text import to wait: the beginning of the text, after `(component`. */

/** `$poll` of wasi:io and `$clock` of wasi:clocks, in the words of WebAssembly's text format. */
export const POLL_AND_CLOCK = `(import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $q))
    (export "pollable" (type $p (eq $q)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))`;
