//! Waits for a number of seconds, without using the processor.

use guest::Refusal;
use std::time::Duration;

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let seconds = guest::decimal(input, 0.0..=60.0)?;
    std::thread::sleep(Duration::from_secs_f64(seconds));
    guest::write_line(output, format_args!("slept {seconds} s"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
