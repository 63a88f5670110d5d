//! Writes the lines of its input that hold the argument, and exits with 1 when none does. Without an argument the variable
//! `PATTERN` says what to look for. Further arguments are files to read instead of the input.

use std::env::{args, var};
use std::fs::File;
use std::io::{stdin, stdout, BufRead, BufReader, BufWriter, Read, Write};
use std::process::exit;

fn main() {
    let mut given = args().skip(1);
    let pattern = match given.next().or_else(|| var("PATTERN").ok()) {
        Some(pattern) => pattern,
        None => fail("expected an argument, or the variable PATTERN: what to look for"),
    };
    let files: Vec<String> = given.collect();
    let mut found = 0;
    if files.is_empty() {
        found += copy_matching(stdin(), &pattern);
    }
    for path in &files {
        match File::open(path) {
            Ok(file) => found += copy_matching(file, &pattern),
            Err(error) => fail(&format!("Cannot read {:?}: {}", path, error)),
        }
    }
    if found == 0 {
        exit(1);
    }
}

fn copy_matching(source: impl Read, pattern: &str) -> usize {
    let mut output = BufWriter::new(stdout());
    let mut found = 0;
    for line in BufReader::new(source).lines() {
        let line = line.unwrap_or_else(|error| fail(&format!("Cannot read the input: {}", error)));
        if line.contains(pattern) {
            found += 1;
            if let Err(error) = writeln!(output, "{}", line) {
                fail(&format!("Cannot write: {}", error));
            }
        }
    }
    if let Err(error) = output.flush() {
        fail(&format!("Cannot write: {}", error));
    }
    found
}

fn fail(message: &str) -> ! {
    eprintln!("{}", message);
    exit(2)
}
