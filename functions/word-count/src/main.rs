//! Counts lines, words, distinct words and bytes of a text, and its ten most frequent words.
//!
//! A word is a run of ASCII letters, digits and bytes above 127, so that UTF-8 words stay whole; upper-case ASCII
//! letters count as lower-case ones.

use guest::Refusal;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const SHOWN_WORDS: usize = 10;

/// FNV-1a: std's own hasher would ask for randomness.
struct WordHasher(u64);

impl Default for WordHasher {
    fn default() -> Self {
        WordHasher(guest::checksum([]))
    }
}

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte > 127
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let lowered = input.to_ascii_lowercase();
    let mut counts: HashMap<&[u8], u64, BuildHasherDefault<WordHasher>> = HashMap::default();
    let mut words = 0_u64;
    for word in lowered.split(|&byte| !is_word_byte(byte)).filter(|word| !word.is_empty()) {
        *counts.entry(word).or_insert(0) += 1;
        words += 1;
    }
    let lines = input.iter().filter(|&&byte| byte == b'\n').count();
    guest::write_line(
        output,
        format_args!("{lines} lines, {words} words, {} distinct, {} bytes", counts.len(), input.len()),
    );
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_unstable_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
    for (word, count) in ranked.into_iter().take(SHOWN_WORDS) {
        guest::write_line(output, format_args!("{count} {}", String::from_utf8_lossy(word)));
    }
    Ok(())
}

fn main() {
    guest::run(answer);
}
