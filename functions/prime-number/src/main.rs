//! The n-th prime number, by trial division.

use guest::Refusal;

fn is_prime(candidate: u64) -> bool {
    if candidate < 4 {
        return candidate >= 2;
    }
    if candidate % 2 == 0 {
        return false;
    }
    let mut divisor = 3;
    while divisor * divisor <= candidate {
        if candidate % divisor == 0 {
            return false;
        }
        divisor += 2;
    }
    true
}

fn prime_number(n: u64) -> u64 {
    let mut found = 0;
    let mut candidate = 1;
    while found < n {
        candidate += 1;
        found += u64::from(is_prime(candidate));
    }
    candidate
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=100_000)?;
    guest::write_line(output, format_args!("{}", prime_number(n)));
    Ok(())
}

fn main() {
    guest::run(answer);
}
