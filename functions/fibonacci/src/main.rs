//! The n-th Fibonacci number, by addition in 128 bits, which end at n = 186.

use guest::Refusal;

fn fibonacci(n: u64) -> u128 {
    let (mut current, mut next) = (0_u128, 1_u128);
    for _ in 0..n {
        // The number after the 186th does not fit, and is never the answer.
        (current, next) = (next, current.wrapping_add(next));
    }
    current
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 0..=186)?;
    guest::write_line(output, format_args!("{}", fibonacci(n)));
    Ok(())
}

fn main() {
    guest::run(answer);
}
