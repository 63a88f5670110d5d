//! Counts its calls in static memory and on the heap. A command in a fresh state always answers 1 and 1.

use guest::Refusal;
use std::sync::Mutex;

static CALLS: Mutex<u32> = Mutex::new(0);
static HELD: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn answer(_input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut calls = CALLS.lock().expect("nothing panics while it is locked");
    let mut held = HELD.lock().expect("nothing panics while it is locked");
    *calls += 1;
    held.push(*calls);
    guest::write_line(output, format_args!("{calls} {}", held.len()));
    Ok(())
}

fn main() {
    guest::run(answer);
}
