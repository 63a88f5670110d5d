//! Lists a directory, whose path is its first argument or the first line of stdin: by name, with the kind of each.

use guest::Refusal;
use std::fs::DirEntry;
use std::io;

fn describe(entry: io::Result<DirEntry>) -> io::Result<String> {
    let entry = entry?;
    let kind = entry.file_type()?;
    let shown = if kind.is_dir() {
        "directory"
    } else if kind.is_symlink() {
        "symlink"
    } else {
        "file"
    };
    Ok(format!("{} {shown}", entry.file_name().to_string_lossy()))
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let path = guest::path(input)?;
    let entries: io::Result<Vec<String>> = std::fs::read_dir(&path).and_then(|entries| entries.map(describe).collect());
    let mut entries = entries.map_err(|error| Refusal::new(format_args!("Cannot list {path:?}: {error}")))?;
    entries.sort();
    for entry in entries {
        guest::write_line(output, format_args!("{entry}"));
    }
    Ok(())
}

fn main() {
    guest::run(answer);
}
