//! Prints its arguments in order, then its environment by name, one per line, each quoted.

use guest::Refusal;

fn dump(_input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    for argument in std::env::args_os() {
        guest::write_line(output, format_args!("argument {argument:?}"));
    }
    let mut variables: Vec<_> = std::env::vars_os().collect();
    variables.sort();
    for (name, value) in variables {
        guest::write_line(output, format_args!("variable {name:?} {value:?}"));
    }
    Ok(())
}

fn main() {
    guest::run(dump);
}
