//! Keeps each input in static memory and on the heap, and answers what it kept of the call before.

use guest::Refusal;
use std::sync::Mutex;

const STATIC_BYTES: usize = 64;

static IN_STATIC: Mutex<[u8; STATIC_BYTES]> = Mutex::new([0; STATIC_BYTES]);
static ON_HEAP: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Answers "static TEXT" and "heap TEXT", both empty in a fresh state, and keeps the input in their place.
pub fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut in_static = IN_STATIC.lock().expect("nothing panics while it is locked");
    let mut on_heap = ON_HEAP.lock().expect("nothing panics while it is locked");
    let end = in_static.iter().position(|&byte| byte == 0).unwrap_or(STATIC_BYTES);
    guest::write_line(output, format_args!("static {:?}", String::from_utf8_lossy(&in_static[..end])));
    guest::write_line(output, format_args!("heap {:?}", String::from_utf8_lossy(&on_heap)));
    let kept = guest::bytes_until_newline(input);
    let kept_bytes = kept.len().min(STATIC_BYTES);
    in_static.fill(0);
    in_static[..kept_bytes].copy_from_slice(&kept[..kept_bytes]);
    *on_heap = kept.to_vec();
    Ok(())
}
