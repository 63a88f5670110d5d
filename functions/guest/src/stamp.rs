//! When a call's own work began and ended, told on stderr to whoever measures it.
//!
//! With the variable NEBULA_STAMP set, the last line a call writes to stderr is `nebula-stamp START END`: nanoseconds of
//! CLOCK_MONOTONIC, which a WASI host, a container and the machine read alike. START is taken before anything else of the
//! call, its input included; END when the answer is there and not yet written.

use std::fmt::Write;
use std::os::raw::{c_char, c_int};

const VARIABLE: &[u8] = b"NEBULA_STAMP\0";

extern "C" {
    // std's look-up takes a lock and allocates; a call that is not measured pays for nothing but this.
    fn getenv(name: *const c_char) -> *const c_char;
}

/// The beginning of a call, if calls are to be stamped.
#[derive(Clone, Copy)]
pub struct Start(u64);

/// Reads the clock if NEBULA_STAMP is set.
pub fn start() -> Option<Start> {
    // SAFETY: the name ends with a zero byte, and no function changes its environment.
    let wanted = unsafe { !getenv(VARIABLE.as_ptr().cast()).is_null() };
    if wanted {
        Some(Start(monotonic_ns()))
    } else {
        None
    }
}

impl Start {
    /// The line that tells both times, the end being now.
    pub fn line(self) -> String {
        let mut line = String::new();
        // Writing into a String cannot fail.
        let _written = writeln!(line, "nebula-stamp {} {}", self.0, monotonic_ns());
        line
    }
}

#[cfg(target_os = "wasi")]
fn monotonic_ns() -> u64 {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        fn clock_time_get(clock: c_int, precision: u64, time: *mut u64) -> c_int;
    }
    const MONOTONIC: c_int = 1;
    let mut time = 0;
    // SAFETY: the signature is the one of the specification; `time` lives through the call.
    let errno = unsafe { clock_time_get(MONOTONIC, 1, &mut time) };
    if errno == 0 {
        time
    } else {
        0
    }
}

#[cfg(not(target_os = "wasi"))]
fn monotonic_ns() -> u64 {
    #[repr(C)]
    struct TimeSpec {
        seconds: i64,
        nanoseconds: i64,
    }
    extern "C" {
        fn clock_gettime(clock: c_int, time: *mut TimeSpec) -> c_int;
    }
    /// Of Linux. CLOCK_UPTIME_RAW is what stands still during sleep on Darwin, as this does on Linux.
    const MONOTONIC: c_int = if cfg!(target_os = "macos") { 8 } else { 1 };
    let mut time = TimeSpec { seconds: 0, nanoseconds: 0 };
    // SAFETY: both fields have 64 bits on 64-bit targets, which are all that functions are built for.
    let result = unsafe { clock_gettime(MONOTONIC, &mut time) };
    if result == 0 {
        time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
    } else {
        0
    }
}
