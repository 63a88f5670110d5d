//! Answers the file whose path is its first argument, or the first line of stdin.

use guest::Refusal;

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let path = guest::path(input)?;
    let bytes = std::fs::read(&path).map_err(|error| Refusal::new(format_args!("Cannot read {path:?}: {error}")))?;
    output.extend_from_slice(&bytes);
    Ok(())
}

fn main() {
    guest::run(answer);
}
