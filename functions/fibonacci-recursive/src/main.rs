//! The n-th Fibonacci number by plain recursion: a measure of calls.

use guest::Refusal;

fn fibonacci(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    fibonacci(n - 1) + fibonacci(n - 2)
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 0..=45)?;
    guest::write_line(output, format_args!("{}", fibonacci(n)));
    Ok(())
}

fn main() {
    guest::run(answer);
}
