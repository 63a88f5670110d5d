//! Prints 32 random bytes in hex, and a hash under the random keys of a new HashMap.

use guest::Refusal;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

extern "C" {
    fn getentropy(buffer: *mut u8, size_bytes: usize) -> i32;
}

fn answer(_input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut bytes = [0_u8; 32];
    // SAFETY: the buffer has the size that is told.
    if unsafe { getentropy(bytes.as_mut_ptr(), bytes.len()) } != 0 {
        let error = std::io::Error::last_os_error();
        return Err(Refusal::new(format_args!("Cannot draw random bytes: {error}")));
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    guest::write_line(output, format_args!("{hex}"));
    guest::write_line(output, format_args!("{:016x}", RandomState::new().build_hasher().finish()));
    Ok(())
}

fn main() {
    guest::run(answer);
}
