//! Makes inputs for other functions, the same ones each time: `bytes SIZE`, `words SIZE`, `orders COUNT` (JSON),
//! `picture SIDE` (binary PPM).

use guest::{Refusal, Sequence};
use std::io::Write;

const FITS: &str = "a vector takes every byte";

const SYLLABLES: [&str; 16] =
    ["ba", "ne", "ti", "ro", "lu", "sa", "me", "ki", "do", "va", "re", "pi", "no", "fu", "ta", "li"];

fn bytes(size: usize, sequence: &mut Sequence, output: &mut Vec<u8>) {
    output.extend((0..size).map(|_| sequence.next_u32() as u8));
}

/// Words of one to three syllables, the shorter the more frequent; exactly `size` bytes, the last a line break.
fn words(size: usize, sequence: &mut Sequence, output: &mut Vec<u8>) {
    let mut count = 0;
    while output.len() < size {
        for _ in 0..=sequence.below(3) {
            output.extend_from_slice(SYLLABLES[sequence.below(16) as usize].as_bytes());
        }
        count += 1;
        output.push(if count % 12 == 0 { b'\n' } else { b' ' });
    }
    output.truncate(size);
    if let Some(last) = output.last_mut() {
        *last = b'\n';
    }
}

fn orders(count: usize, sequence: &mut Sequence, output: &mut Vec<u8>) {
    output.extend_from_slice(b"[");
    for index in 0..count {
        let customer = SYLLABLES[sequence.below(16) as usize];
        let family = SYLLABLES[sequence.below(16) as usize];
        let cancelled = sequence.below(10) == 0;
        let separator = if index == 0 { "" } else { "," };
        write!(output, "{separator}\n{{\"id\": {index}, \"customer\": \"{customer} {family}\", ").expect(FITS);
        write!(output, "\"cancelled\": {cancelled}, \"items\": [").expect(FITS);
        for item in 0..=sequence.below(4) {
            let separator = if item == 0 { "" } else { ", " };
            let (euros, cents, quantity) = (sequence.below(90), sequence.below(100), 1 + sequence.below(9));
            write!(output, "{separator}{{\"price\": {euros}.{cents:02}, \"quantity\": {quantity}}}").expect(FITS);
        }
        output.extend_from_slice(b"]}");
    }
    output.extend_from_slice(b"\n]\n");
}

/// Two slopes of colour with noise on the third channel.
fn picture(side: usize, sequence: &mut Sequence, output: &mut Vec<u8>) {
    guest::write_line(output, format_args!("P6\n{side} {side}\n255"));
    for y in 0..side {
        for x in 0..side {
            let noise = sequence.next_u32() as u8;
            output.extend_from_slice(&[(x * 255 / side) as u8, (y * 255 / side) as u8, noise]);
        }
    }
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let (kind, size) = guest::text(input)?.split_once(' ').unwrap_or(("", ""));
    let (largest, make): (u64, fn(usize, &mut Sequence, &mut Vec<u8>)) = match kind {
        "bytes" => (1 << 25, bytes),
        "words" => (1 << 25, words),
        "orders" => (100_000, orders),
        "picture" => (2048, picture),
        _ => {
            return Err(Refusal::new(
                "Cannot generate: expected \"bytes\", \"words\", \"orders\" or \"picture\" and a size",
            ))
        }
    };
    let size = guest::whole_number(size.as_bytes(), 1..=largest)?;
    make(size as usize, &mut Sequence::new(1), output);
    Ok(())
}

fn main() {
    guest::run(answer);
}
