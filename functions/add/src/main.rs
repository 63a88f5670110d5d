//! The sum of two whole numbers of 64 bits; a sum that does not fit is refused.

use guest::Refusal;

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let numbers = guest::whole_numbers(input, 2)?;
    let (left, right) = (numbers[0], numbers[1]);
    let sum = left.checked_add(right).ok_or_else(|| {
        Refusal::new(format_args!("Cannot add {left} and {right}: the sum does not fit into 64 bits"))
    })?;
    guest::write_line(output, format_args!("{sum}"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
