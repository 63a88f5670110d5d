//! Pi by n points thrown into a square, from a fixed seed: the estimate, and how many fell into the circle.

use guest::Refusal;

/// Marsaglia's xorshift with the shifts 13, 7, 17 on 64 bits.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A number in [0, 1), from the high 53 bits.
fn unit(state: &mut u64) -> f64 {
    (next(state) >> 11) as f64 / (1_u64 << 53) as f64
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=1_000_000_000)?;
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let mut inside = 0_u64;
    for _ in 0..n {
        let (x, y) = (unit(&mut state), unit(&mut state));
        inside += u64::from(x * x + y * y <= 1.0);
    }
    guest::write_line(output, format_args!("{:.9} {inside}", 4.0 * inside as f64 / n as f64));
    Ok(())
}

fn main() {
    guest::run(answer);
}
