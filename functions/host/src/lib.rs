//! Calls of the embedder's bindings: bytes in, bytes out (docs/bindings.md).

use std::fmt;

/// Why a call came to no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What a program can go by: `denied`, `too-large`, `busy`, `failed`, or what the binding itself says.
    pub code: String,
    /// What the binding means for its guest.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

/// Calls a function of a binding by its whole name, such as `orders.lookup`, and waits for its answer.
///
/// # Errors
/// The name is not granted, the request or the answer is too long, too many calls are under way, or the binding failed.
/// A native program has no bindings: there every call is `denied`.
pub fn call(name: &str, request: &[u8]) -> Result<Vec<u8>, Error> {
    imports::call(name, request).map_err(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let (code, message) = text.split_once('\n').unwrap_or((&text, ""));
        Error { code: code.to_owned(), message: message.to_owned() }
    })
}

#[cfg(target_family = "wasm")]
mod imports {
    #[link(wasm_import_module = "nebula")]
    extern "C" {
        #[link_name = "call"]
        fn nebula_call(name: *const u8, name_bytes: usize, request: *const u8, request_bytes: usize) -> i32;
        #[link_name = "read"]
        fn nebula_read(target: *mut u8, most_bytes: usize, offset: usize) -> i32;
    }

    /// The answer, or what an error says.
    pub fn call(name: &str, request: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        // SAFETY: both are borrowed through the call, which reads so many bytes and no more.
        let result = unsafe { nebula_call(name.as_ptr(), name.len(), request.as_ptr(), request.len()) };
        if result < 0 {
            Err(read(!result as usize))
        } else {
            Ok(read(result as usize))
        }
    }

    fn read(length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        if length > 0 {
            // SAFETY: the call writes at most `length` bytes, for which there is room, and tells how many it wrote.
            unsafe {
                let count = nebula_read(bytes.as_mut_ptr(), length, 0);
                bytes.set_len(usize::try_from(count).unwrap_or(0).min(length));
            }
        }
        bytes
    }
}

#[cfg(not(target_family = "wasm"))]
mod imports {
    pub fn call(_name: &str, _request: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        Err(b"denied\na native program has no bindings".to_vec())
    }
}
