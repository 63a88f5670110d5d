//! The imports of WASI 0.2 that these components use, by the canonical ABI: a resource is an `i32`, and what does not fit one
//! number is written to `result`. Source: the component model's CanonicalABI.md; wasi:http and wasi:io, version 0.2.12.

#[link(wasm_import_module = "wasi:http/types@0.2.12")]
extern "C" {
    #[link_name = "[constructor]fields"]
    pub fn new_fields() -> i32;
    #[link_name = "[method]fields.append"]
    pub fn append_field(
        fields: i32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
        result: *mut u8,
    );

    #[link_name = "[method]incoming-request.path-with-query"]
    pub fn path_with_query(request: i32, result: *mut u8);
    #[link_name = "[method]incoming-request.consume"]
    pub fn consume_request(request: i32, result: *mut u8);
    #[link_name = "[method]incoming-body.stream"]
    pub fn body_stream(body: i32, result: *mut u8);
    #[link_name = "[resource-drop]incoming-body"]
    pub fn drop_incoming_body(body: i32);
    #[link_name = "[resource-drop]incoming-request"]
    pub fn drop_incoming_request(request: i32);

    #[link_name = "[constructor]outgoing-response"]
    pub fn new_response(headers: i32) -> i32;
    #[link_name = "[method]outgoing-response.set-status-code"]
    pub fn set_status(response: i32, status: i32) -> i32;
    #[link_name = "[method]outgoing-response.body"]
    pub fn response_body(response: i32, result: *mut u8);
    #[link_name = "[method]outgoing-body.write"]
    pub fn body_write(body: i32, result: *mut u8);
    #[link_name = "[static]outgoing-body.finish"]
    pub fn finish_body(body: i32, has_trailers: i32, trailers: i32, result: *mut u8);
    /// The response, or an error-code flattened into what its largest case takes.
    #[link_name = "[static]response-outparam.set"]
    pub fn set_response(out: i32, is_error: i32, response: i32, b: i32, c: i64, d: i32, e: i32, f: i32, g: i32);

    #[link_name = "[constructor]outgoing-request"]
    pub fn new_request(headers: i32) -> i32;
    #[link_name = "[method]outgoing-request.set-scheme"]
    pub fn set_scheme(request: i32, is_some: i32, scheme: i32, text: *const u8, text_len: usize) -> i32;
    #[link_name = "[method]outgoing-request.set-authority"]
    pub fn set_authority(request: i32, is_some: i32, text: *const u8, text_len: usize) -> i32;
    #[link_name = "[method]outgoing-request.set-path-with-query"]
    pub fn set_path(request: i32, is_some: i32, text: *const u8, text_len: usize) -> i32;
    #[link_name = "[method]future-incoming-response.subscribe"]
    pub fn subscribe_response(future: i32) -> i32;
    #[link_name = "[method]future-incoming-response.get"]
    pub fn get_response(future: i32, result: *mut u8);
    #[link_name = "[resource-drop]future-incoming-response"]
    pub fn drop_future(future: i32);
    #[link_name = "[method]incoming-response.status"]
    pub fn status_of(response: i32) -> i32;
    #[link_name = "[method]incoming-response.consume"]
    pub fn consume_response(response: i32, result: *mut u8);
    #[link_name = "[resource-drop]incoming-response"]
    pub fn drop_incoming_response(response: i32);
}

#[link(wasm_import_module = "wasi:http/outgoing-handler@0.2.12")]
extern "C" {
    #[link_name = "handle"]
    pub fn send(request: i32, has_options: i32, options: i32, result: *mut u8);
}

#[link(wasm_import_module = "wasi:io/streams@0.2.12")]
extern "C" {
    #[link_name = "[method]input-stream.blocking-read"]
    pub fn read(stream: i32, most: i64, result: *mut u8);
    #[link_name = "[resource-drop]input-stream"]
    pub fn drop_input(stream: i32);
    #[link_name = "[method]output-stream.check-write"]
    pub fn check_write(stream: i32, result: *mut u8);
    #[link_name = "[method]output-stream.write"]
    pub fn write(stream: i32, bytes: *const u8, len: usize, result: *mut u8);
    #[link_name = "[method]output-stream.flush"]
    pub fn flush(stream: i32, result: *mut u8);
    #[link_name = "[method]output-stream.subscribe"]
    pub fn subscribe_output(stream: i32) -> i32;
    #[link_name = "[resource-drop]output-stream"]
    pub fn drop_output(stream: i32);
}

#[link(wasm_import_module = "wasi:io/poll@0.2.12")]
extern "C" {
    #[link_name = "[method]pollable.block"]
    pub fn block(pollable: i32);
    #[link_name = "[resource-drop]pollable"]
    pub fn drop_pollable(pollable: i32);
}

/// Where a result is written that does not fit one number: as large and as aligned as the largest of them, an option of
/// two results around an error-code.
#[repr(C, align(8))]
pub struct Returned([u8; 72]);

impl Returned {
    /// Has `call` write to a new one.
    pub fn of(call: impl FnOnce(*mut u8)) -> Returned {
        let mut returned = Returned([0; 72]);
        call(returned.0.as_mut_ptr());
        returned
    }

    pub fn byte(&self, at: usize) -> u8 {
        self.0[at]
    }

    pub fn word(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    pub fn long(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().unwrap())
    }

    /// The bytes of a list whose address and length stand there; the host had `cabi_realloc` make room for them.
    ///
    /// # Safety
    /// A list of bytes or a text must stand there, and be taken once.
    pub unsafe fn bytes(&self, at: usize) -> Vec<u8> {
        let (address, len) = (self.word(at) as usize, self.word(at + 4) as usize);
        if len == 0 {
            return Vec::new();
        }
        Vec::from_raw_parts(address as *mut u8, len, len)
    }
}

/// Makes room for what the host hands over. Source: CanonicalABI.md, `realloc`.
///
/// # Safety
/// For the host alone: `old` is null, or what this function answered with the same alignment and `old_len`.
#[no_mangle]
pub unsafe extern "C" fn cabi_realloc(old: *mut u8, old_len: usize, align: usize, len: usize) -> *mut u8 {
    use std::alloc::{alloc, handle_alloc_error, realloc, Layout};
    if len == 0 {
        return align as *mut u8;
    }
    let layout = Layout::from_size_align_unchecked(len, align);
    let room =
        if old_len == 0 { alloc(layout) } else { realloc(old, Layout::from_size_align_unchecked(old_len, align), len) };
    if room.is_null() {
        handle_alloc_error(layout);
    }
    room
}
