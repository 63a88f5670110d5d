//! A reactor whose initialisation draws randomness: its snapshot would answer every caller the same number.

guest::export_initialize!();

use guest::Refusal;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

static DRAWN: AtomicU64 = AtomicU64::new(0);

fn answer(_input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    guest::write_line(output, format_args!("{:016x}", DRAWN.load(Ordering::Relaxed)));
    Ok(())
}

#[no_mangle]
pub extern "C" fn nebula_init() {
    DRAWN.store(RandomState::new().build_hasher().finish(), Ordering::Relaxed);
}

#[no_mangle]
pub extern "C" fn handle() -> i32 {
    guest::answer_call(answer)
}
