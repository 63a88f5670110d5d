//! One call answered over the standard streams, and what makes a cdylib a WASI reactor.

use crate::{stamp, stream, Handler, Refusal};
use std::io::{self, Write};

/// Answers stdin once on stdout and stderr. Returns the exit code.
pub fn answer_call(handler: Handler) -> i32 {
    let start = stamp::start();
    let input = match stream::read_all(&mut stream::stdin()) {
        Ok(input) => input,
        Err(error) => return refuse(&Refusal::new(format_args!("Cannot read the input: {error}"))),
    };
    let mut output = Vec::new();
    let result = handler(&input, &mut output);
    let stamps = start.map(stamp::Start::line);
    if let Err(error) = write_answer(&output) {
        return refuse(&Refusal::new(format_args!("Cannot write the answer: {error}")));
    }
    let exit_code = match result {
        Ok(()) => 0,
        Err(refusal) => refuse(&refusal),
    };
    write_stamps(stamps);
    exit_code
}

/// A call that reads nothing and answers nothing: all that is left of one are its stamps.
pub fn answer_nothing() {
    write_stamps(stamp::start().map(stamp::Start::line));
}

fn write_stamps(stamps: Option<String>) {
    if let Some(line) = stamps {
        // Whoever measures misses the line; the call itself was answered.
        let _written = stream::stderr().write_all(line.as_bytes());
    }
}

fn write_answer(output: &[u8]) -> io::Result<()> {
    if output.is_empty() {
        return Ok(());
    }
    stream::stdout().write_all(output)
}

fn refuse(refusal: &Refusal) -> i32 {
    let line = format!("{}\n", refusal.message);
    // The exit code tells the refusal even when stderr takes no bytes.
    let _written = stream::stderr().write_all(line.as_bytes());
    i32::from(refusal.exit_code)
}

/// Defines `_initialize`, which runs the constructors of libc and the crate exactly once, before anything else.
/// Naming the constructors also keeps the linker from running them again in every exported function.
#[macro_export]
macro_rules! export_initialize {
    () => {
        #[cfg(target_family = "wasm")]
        #[no_mangle]
        pub extern "C" fn _initialize() {
            extern "C" {
                fn __wasm_call_ctors();
            }
            // SAFETY: the linker defines it; the WASI application ABI has the host call _initialize once.
            unsafe { __wasm_call_ctors() }
        }
    };
}
