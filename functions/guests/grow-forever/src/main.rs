//! Takes memory, a MiB at a time and each byte written, until no more is given; then says how much and exits with 1.

use guest::Refusal;

const STEP_BYTES: usize = 1024 * 1024;

fn grow(_input: &[u8], _output: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut held: Vec<Vec<u8>> = Vec::with_capacity(1 << 16);
    loop {
        let mut step = Vec::new();
        if step.try_reserve_exact(STEP_BYTES).is_err() {
            return Err(Refusal::new(format_args!("Cannot grow beyond {} MiB", held.len())));
        }
        step.resize(STEP_BYTES, 1);
        held.push(step);
    }
}

fn main() {
    guest::run(grow);
}
