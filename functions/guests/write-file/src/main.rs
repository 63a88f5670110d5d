//! Writes all of stdin but its first line, the path, to a file; with an argument that is the path and all is written.

use guest::Refusal;

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let path = guest::path(input)?;
    let contents = if std::env::args().len() > 1 {
        input
    } else {
        let end = input.iter().position(|&byte| byte == b'\n').map_or(input.len(), |at| at + 1);
        &input[end..]
    };
    std::fs::write(&path, contents).map_err(|error| Refusal::new(format_args!("Cannot write {path:?}: {error}")))?;
    guest::write_line(output, format_args!("wrote {} bytes", contents.len()));
    Ok(())
}

fn main() {
    guest::run(answer);
}
