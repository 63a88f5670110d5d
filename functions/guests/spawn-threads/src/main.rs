//! Holds as many threads at once as its input says, then says how many; the first that is not given ends it with 1.

use guest::{whole_number, Refusal};
use std::sync::mpsc::{channel, Sender};
use std::thread::Builder;

const STACK_BYTES: usize = 64 * 1024;

fn spawn(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let wanted = whole_number(input, 0..=1000)?;
    let mut held: Vec<Sender<()>> = Vec::new();
    for number in 1..=wanted {
        let (release, wait) = channel();
        // It ends when its sender is dropped.
        let thread = Builder::new().stack_size(STACK_BYTES).spawn(move || wait.recv());
        thread.map_err(|error| Refusal::new(format_args!("Cannot start thread {number}: {error}")))?;
        held.push(release);
    }
    guest::write_line(output, format_args!("{} threads", held.len()));
    Ok(())
}

fn main() {
    guest::run(spawn);
}
