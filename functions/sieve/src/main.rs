//! How many primes there are up to n, and the largest, by the sieve of Eratosthenes: a byte of memory per number.

use guest::Refusal;

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 2..=50_000_000)? as usize;
    let mut is_composite = vec![false; n + 1];
    let (mut count, mut largest) = (0, 0);
    for number in 2..=n {
        if is_composite[number] {
            continue;
        }
        count += 1;
        largest = number;
        for multiple in (number.saturating_mul(number)..=n).step_by(number) {
            is_composite[multiple] = true;
        }
    }
    guest::write_line(output, format_args!("{count} {largest}"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
