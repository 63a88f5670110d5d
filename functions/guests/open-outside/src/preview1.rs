//! Two functions of `wasi_snapshot_preview1`, called without libc.

use std::fs::File;
use std::io::Read;
use std::os::wasi::io::FromRawFd;

const FIRST_PREOPEN: u32 = 3;
const FOLLOW: u32 = 1;
const CREATE: u16 = 1;
const DIRECTORY: u16 = 2;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn fd_prestat_get(fd: u32, prestat: *mut [u32; 2]) -> u16;
    #[allow(clippy::too_many_arguments)]
    fn path_open(
        fd: u32,
        lookup_flags: u32,
        path: *const u8,
        path_bytes: usize,
        open_flags: u16,
        rights: u64,
        inheriting: u64,
        fd_flags: u16,
        opened: *mut u32,
    ) -> u16;
}

/// A way to open a path.
pub struct Attempt {
    pub name: &'static str,
    lookup_flags: u32,
    open_flags: u16,
    rights: u64,
}

pub const ATTEMPTS: [Attempt; 4] = [
    Attempt { name: "open", lookup_flags: FOLLOW, open_flags: 0, rights: READ },
    Attempt { name: "open-nofollow", lookup_flags: 0, open_flags: 0, rights: READ },
    Attempt { name: "open-directory", lookup_flags: FOLLOW, open_flags: DIRECTORY, rights: READ },
    Attempt { name: "create", lookup_flags: FOLLOW, open_flags: CREATE, rights: WRITE },
];

/// Descriptors of the directories that were granted.
pub fn preopens() -> impl Iterator<Item = u32> {
    (FIRST_PREOPEN..).take_while(|&fd| {
        let mut prestat = [0; 2];
        // SAFETY: a prestat takes 8 bytes.
        unsafe { fd_prestat_get(fd, &mut prestat) == 0 }
    })
}

/// "errno N" of a refused attempt, or "opened" and the first line that could be read.
pub fn open(directory: u32, path: &str, attempt: &Attempt) -> String {
    let mut fd = 0;
    // SAFETY: the path outlives the call, and a descriptor takes 4 bytes.
    let errno = unsafe {
        path_open(
            directory,
            attempt.lookup_flags,
            path.as_ptr(),
            path.len(),
            attempt.open_flags,
            attempt.rights,
            attempt.rights,
            0,
            &mut fd,
        )
    };
    if errno != 0 {
        return format!("errno {errno}");
    }
    // SAFETY: the host just opened it for us alone.
    let mut file = unsafe { File::from_raw_fd(fd as i32) };
    let mut bytes = [0; 64];
    match file.read(&mut bytes) {
        Ok(count) => format!("opened {:?}", String::from_utf8_lossy(&bytes[..count])),
        Err(error) => format!("opened, unreadable: errno {}", error.raw_os_error().unwrap_or(0)),
    }
}
