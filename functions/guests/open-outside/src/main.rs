//! Tries to leave its directories: opens paths that lead out of each preopen, its own list and those given as
//! arguments or as lines of stdin, and tells the errno of each attempt, or what it could read.
//! It calls the host directly, because libc refuses some of these paths by itself.

use guest::Refusal;

const PATHS: [&str; 8] = [
    "..",
    "../",
    "../outside",
    "./../outside",
    "a/../../outside",
    "/etc/passwd",
    "//etc/passwd",
    "../../../../../../../../etc/passwd",
];

#[cfg(target_family = "wasm")]
mod preview1;

#[cfg(target_family = "wasm")]
fn attempts(path: &str, output: &mut Vec<u8>) {
    for directory in preview1::preopens() {
        for attempt in preview1::ATTEMPTS {
            let told = preview1::open(directory, path, &attempt);
            guest::write_line(output, format_args!("{directory} {} {path:?} {told}", attempt.name));
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn attempts(path: &str, output: &mut Vec<u8>) {
    let told = std::fs::read(path).map_or_else(|error| error.to_string(), |bytes| format!("{} bytes", bytes.len()));
    guest::write_line(output, format_args!("{path:?} {told}"));
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    for path in PATHS {
        attempts(path, output);
    }
    for path in std::env::args().skip(1) {
        attempts(&path, output);
    }
    for path in guest::text(input)?.lines() {
        attempts(path, output);
    }
    Ok(())
}

fn main() {
    guest::run(answer);
}
