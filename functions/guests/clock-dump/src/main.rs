//! Prints the clocks over 1,000 readings each, in nanoseconds: the real time and how far it moved on, and how far the
//! monotonic clock moved on.

use guest::Refusal;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const READINGS: u32 = 1000;

fn realtime_ns() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

fn answer(_input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let (first_ns, start) = (realtime_ns(), Instant::now());
    let (mut last_ns, mut moved_ns) = (first_ns, 0);
    for _ in 0..READINGS {
        last_ns = realtime_ns();
        moved_ns = start.elapsed().as_nanos();
    }
    guest::write_line(output, format_args!("realtime {first_ns} {}", last_ns.saturating_sub(first_ns)));
    guest::write_line(output, format_args!("monotonic {moved_ns}"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
