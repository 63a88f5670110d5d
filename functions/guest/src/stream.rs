//! The standard streams without std's buffers: a guest that touches fewer pages is put back faster.

use std::fs::File;
use std::io::{self, Read};
use std::mem::ManuallyDrop;
#[cfg(unix)]
use std::os::unix::io::FromRawFd;
#[cfg(target_os = "wasi")]
use std::os::wasi::io::FromRawFd;

const FIRST_READ_BYTES: usize = 8 * 1024;

/// Standard input. Dropping it does not close the descriptor.
pub fn stdin() -> ManuallyDrop<File> {
    open_stream(0)
}

/// Standard output. Dropping it does not close the descriptor.
pub fn stdout() -> ManuallyDrop<File> {
    open_stream(1)
}

/// Standard error. Dropping it does not close the descriptor.
pub fn stderr() -> ManuallyDrop<File> {
    open_stream(2)
}

fn open_stream(fd: i32) -> ManuallyDrop<File> {
    // SAFETY: 0, 1 and 2 are open for the life of a process, and ManuallyDrop keeps this File from closing them.
    ManuallyDrop::new(unsafe { File::from_raw_fd(fd) })
}

/// Reads until the end, doubling the room; a small input costs two reads.
pub fn read_all(source: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; FIRST_READ_BYTES];
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            bytes.resize(filled * 2, 0);
        }
        match source.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
