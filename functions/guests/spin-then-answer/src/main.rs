//! Keeps the processor busy for the given number of milliseconds, then answers.

use guest::Refusal;
use std::time::{Duration, Instant};

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let span_ms = guest::whole_number(input, 0..=600_000)?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(span_ms) {
        std::hint::spin_loop();
    }
    guest::write_line(output, format_args!("spun for {span_ms} ms"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
