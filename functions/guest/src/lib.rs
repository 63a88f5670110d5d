//! What every function shares: read all input, write the answer, end with an exit code.
//!
//! A function is a `Handler`: bytes in, bytes out, or a `Refusal`. It never ends the process itself, so the same
//! source runs once per process (a Wasm command, a container) or many times in one (a native process with `--serve`).

mod input;
mod reactor;
#[cfg(not(target_family = "wasm"))]
mod serve;
mod stamp;
mod stream;

pub use input::{bytes_until_newline, decimal, path, text, whole_number, whole_numbers};
pub use reactor::{answer_call, answer_nothing};

use std::fmt;
use std::io::Write;

/// Why a function gives no answer: one line for stderr and an exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub exit_code: u8,
}

impl Refusal {
    /// A refusal with exit code 1.
    pub fn new(message: impl fmt::Display) -> Self {
        Refusal { message: message.to_string(), exit_code: 1 }
    }
}

/// A function: appends its answer to `output`, or refuses. What was appended before a refusal is still written.
pub type Handler = fn(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal>;

/// The body of a function's `main`: answers stdin once, or serves frames when started with `--serve`.
pub fn run(handler: Handler) {
    if serve(handler) {
        return;
    }
    let exit_code = answer_call(handler);
    if exit_code != 0 {
        std::process::exit(exit_code);
    }
}

/// Serves frames on stdin until it ends, if this is a native process started with `--serve`.
/// Returns whether it did; always false in Wasm, where the host keeps the instance instead.
#[cfg(not(target_family = "wasm"))]
pub fn serve(handler: Handler) -> bool {
    if !std::env::args_os().skip(1).any(|argument| argument == "--serve") {
        return false;
    }
    if let Err(error) = serve::serve_frames(handler, &mut *stream::stdin(), &mut *stream::stdout()) {
        eprintln!("Cannot serve: {error}");
        std::process::exit(1);
    }
    true
}

#[cfg(target_family = "wasm")]
pub fn serve(_handler: Handler) -> bool {
    false
}

/// FNV-1a over 64 bits, the checksum functions print of a result too long to print.
/// Source: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
pub fn checksum(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A repeatable sequence of numbers: the 64-bit linear congruential generator of Knuth's MMIX, its high 32 bits.
pub struct Sequence(u64);

impl Sequence {
    #[inline]
    pub fn new(seed: u64) -> Self {
        Sequence(seed)
    }

    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// A number below `bound`, which must not be 0.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }
}

/// Appends a line of text to an answer.
pub fn write_line(output: &mut Vec<u8>, line: fmt::Arguments) {
    output.write_fmt(line).expect("a vector takes every byte");
    output.push(b'\n');
}
