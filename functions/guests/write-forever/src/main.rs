//! Writes to stdout until a write fails; then says so and exits with 1.

use std::io::Write;

const CHUNK_BYTES: usize = 64 * 1024;

fn main() {
    let chunk = vec![b'x'; CHUNK_BYTES];
    let mut stdout = std::io::stdout().lock();
    let mut written_bytes = 0_u64;
    loop {
        if let Err(error) = stdout.write_all(&chunk) {
            eprintln!("Cannot write after {written_bytes} bytes: {error}");
            std::process::exit(1);
        }
        written_bytes += chunk.len() as u64;
    }
}
