//! Input as numbers and text, with refusals that name what was expected and what came.

use crate::Refusal;
use std::ops::RangeInclusive;

const SHOWN_CHARACTERS: usize = 40;

/// The input without its trailing line break.
pub fn bytes_until_newline(input: &[u8]) -> &[u8] {
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    input.strip_suffix(b"\r").unwrap_or(input)
}

/// The input as text without its trailing line break.
///
/// # Errors
/// The input is not UTF-8.
pub fn text(input: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes_until_newline(input)).map_err(|error| {
        Refusal::new(format_args!("Cannot read the input: expected UTF-8, got another byte at {}", error.valid_up_to()))
    })
}

/// The input as one whole number in `range`, white space around it ignored.
///
/// # Errors
/// The input is empty, is not a number, or is outside of `range`.
pub fn whole_number(input: &[u8], range: RangeInclusive<u64>) -> Result<u64, Refusal> {
    let shown = text(input)?.trim();
    let digits = shown.strip_prefix('+').unwrap_or(shown);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<u64>() {
        Ok(number) if is_number && range.contains(&number) => Ok(number),
        _ => {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            Err(unexpected(&expected, shown))
        }
    }
}

/// The input as exactly `count` whole numbers with white space between them.
///
/// # Errors
/// Another count, or a part that is not a whole number of 64 bits.
pub fn whole_numbers(input: &[u8], count: usize) -> Result<Vec<i64>, Refusal> {
    let shown = text(input)?.trim();
    let numbers: Result<Vec<i64>, _> = shown.split_ascii_whitespace().map(str::parse).collect();
    match numbers {
        Ok(numbers) if numbers.len() == count => Ok(numbers),
        _ => Err(unexpected(&format!("{count} whole numbers of 64 bits"), shown)),
    }
}

/// The input as one decimal number in `range`.
///
/// # Errors
/// The input is empty, is not a finite number, or is outside of `range`.
pub fn decimal(input: &[u8], range: RangeInclusive<f64>) -> Result<f64, Refusal> {
    let shown = text(input)?.trim();
    match shown.parse::<f64>() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(unexpected(&format!("a number from {} to {}", range.start(), range.end()), shown)),
    }
}

fn unexpected(expected: &str, got: &str) -> Refusal {
    if got.is_empty() {
        return Refusal::new(format_args!("Cannot read the input: expected {expected}, got nothing"));
    }
    let shown: String = got.chars().take(SHOWN_CHARACTERS).collect();
    let rest = if shown.len() < got.len() { "..." } else { "" };
    Refusal::new(format_args!("Cannot read the input: expected {expected}, got {shown:?}{rest}"))
}

/// The first argument, or without one the input's first line: a path, for the guests that take one.
///
/// # Errors
/// Neither is there, or the input is not UTF-8.
pub fn path(input: &[u8]) -> Result<String, Refusal> {
    let given = std::env::args().nth(1);
    let line = || Ok(text(input)?.lines().next().unwrap_or_default().to_owned());
    match given.map_or_else(line, Ok) {
        Ok(path) if path.is_empty() => Err(unexpected("a path", "")),
        found => found,
    }
}
