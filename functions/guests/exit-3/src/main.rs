//! Writes a line to each output and exits with 3.

use guest::Refusal;

fn main() {
    guest::run(|_input, output| {
        guest::write_line(output, format_args!("before the exit"));
        Err(Refusal { message: "exits with 3".into(), exit_code: 3 })
    });
}
