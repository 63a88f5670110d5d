//! Calls the binding that its input's first line names, with the rest as the request, and writes the answer. After a
//! count and a space in that line it calls so many times, and writes the last answer.

use guest::Refusal;

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let line = guest::text(&input[..end])?;
    let (count, name) = match line.split_once(' ') {
        Some((count, name)) => (guest::whole_number(count.as_bytes(), 1..=1_000_000_000)?, name),
        None => (1, line),
    };
    let request = &input[input.len().min(end + 1)..];
    for left in (0..count).rev() {
        let answer = host::call(name, request).map_err(Refusal::new)?;
        if left == 0 {
            output.extend_from_slice(&answer);
        }
    }
    Ok(())
}

fn main() {
    guest::run(answer);
}
