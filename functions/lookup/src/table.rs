//! A table built once and asked often: entry i is the i-th output of the SplitMix64 generator, so that a table of
//! any size answers alike. Source of the mixing: Steele, Lea, Flood 2014.

use guest::Refusal;
use std::sync::Mutex;

const ENTRIES_PER_MIB: usize = 1024 * 1024 / 8;

static TABLE: Mutex<Vec<u64>> = Mutex::new(Vec::new());

fn entry(index: usize) -> u64 {
    let mut bits = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Builds the table, LOOKUP_MIB large: 1 to 64, 1 when the variable is not set.
///
/// # Errors
/// The variable holds something else.
pub fn build() -> Result<(), Refusal> {
    let size = std::env::var("LOOKUP_MIB").unwrap_or_else(|_| "1".into());
    let size_mib = guest::whole_number(size.as_bytes(), 1..=64).map_err(|_| {
        Refusal::new(format_args!("Cannot build the table: expected LOOKUP_MIB from 1 to 64, got {size:?}"))
    })?;
    let entries = (0..size_mib as usize * ENTRIES_PER_MIB).map(entry).collect();
    *TABLE.lock().expect("no panic leaves the table locked") = entries;
    Ok(())
}

/// Builds the table, or says why not and ends.
pub fn build_or_exit() {
    if let Err(refusal) = build() {
        eprintln!("{}", refusal.message);
        std::process::exit(i32::from(refusal.exit_code));
    }
}

/// Answers "index entry" for a decimal index, or for any other text the index its checksum falls on.
///
/// # Errors
/// An empty key, or an index that the table does not have.
pub fn look_up(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let table = TABLE.lock().expect("no panic leaves the table locked");
    let key = guest::bytes_until_newline(input);
    if key.is_empty() || table.is_empty() {
        let missing = if key.is_empty() { "expected a key, got nothing" } else { "the table was not built" };
        return Err(Refusal::new(format_args!("Cannot look up: {missing}")));
    }
    let index = if key.iter().all(u8::is_ascii_digit) {
        guest::whole_number(key, 0..=table.len() as u64 - 1)? as usize
    } else {
        (guest::checksum(key.iter().copied()) % table.len() as u64) as usize
    };
    guest::write_line(output, format_args!("{index} {:016x}", table[index]));
    Ok(())
}
