//! Answers as its query says, step by step, well or badly: `/?field:HEX=HEX&head&put:HEX&finish`. Each step leaves a word that
//! says how it went: `ok`, an error's name, `closed`, or `failed` with the number of the error-code; `expect:WORD` traps
//! where it is another, and `say` writes it into the body.
//!
//! The imports are those of WASI 0.2 by the canonical ABI. Source: CanonicalABI.md; wasi:http and wasi:io, version 0.2.12.

#[link(wasm_import_module = "wasi:http/types@0.2.12")]
extern "C" {
    #[link_name = "[constructor]fields"]
    fn new_fields() -> i32;
    #[link_name = "[static]fields.from-list"]
    fn fields_from_list(entries: *const [usize; 4], count: usize, result: *mut u8);
    #[link_name = "[method]fields.append"]
    fn append_field(fields: i32, name: *const u8, nlen: usize, value: *const u8, vlen: usize, result: *mut u8);
    #[link_name = "[method]fields.clone"]
    fn clone_fields(fields: i32) -> i32;
    #[link_name = "[resource-drop]fields"]
    fn drop_fields(fields: i32);
    #[link_name = "[method]incoming-request.path-with-query"]
    fn path_with_query(request: i32, result: *mut u8);
    #[link_name = "[method]incoming-request.headers"]
    fn request_headers(request: i32) -> i32;
    #[link_name = "[method]incoming-request.consume"]
    fn consume_request(request: i32, result: *mut u8);
    #[link_name = "[resource-drop]incoming-request"]
    fn drop_request(request: i32);
    #[link_name = "[method]incoming-body.stream"]
    fn body_stream(body: i32, result: *mut u8);
    #[link_name = "[resource-drop]incoming-body"]
    fn drop_incoming_body(body: i32);
    #[link_name = "[constructor]outgoing-response"]
    fn new_response(headers: i32) -> i32;
    #[link_name = "[method]outgoing-response.set-status-code"]
    fn set_status(response: i32, status: i32) -> i32;
    #[link_name = "[method]outgoing-response.body"]
    fn response_body(response: i32, result: *mut u8);
    #[link_name = "[method]outgoing-body.write"]
    fn body_write(body: i32, result: *mut u8);
    #[link_name = "[static]outgoing-body.finish"]
    fn finish_body(body: i32, has_trailers: i32, trailers: i32, result: *mut u8);
    #[link_name = "[resource-drop]outgoing-body"]
    fn drop_body(body: i32);
    #[link_name = "[static]response-outparam.set"]
    fn set_response(out: i32, is_error: i32, response: i32, b: i32, c: i64, d: i32, e: i32, f: i32, g: i32);
    #[link_name = "[resource-drop]response-outparam"]
    fn drop_outparam(out: i32);
    #[link_name = "http-error-code"]
    fn http_error_code(error: i32, result: *mut u8);
}

#[link(wasm_import_module = "wasi:io/streams@0.2.12")]
extern "C" {
    #[link_name = "[method]input-stream.blocking-read"]
    fn read(stream: i32, most: i64, result: *mut u8);
    #[link_name = "[resource-drop]input-stream"]
    fn drop_input(stream: i32);
    #[link_name = "[method]output-stream.check-write"]
    fn check_write(stream: i32, result: *mut u8);
    #[link_name = "[method]output-stream.write"]
    fn write(stream: i32, bytes: *const u8, len: usize, result: *mut u8);
    #[link_name = "[method]output-stream.blocking-write-and-flush"]
    fn blocking_write(stream: i32, bytes: *const u8, len: usize, result: *mut u8);
    #[link_name = "[method]output-stream.subscribe"]
    fn subscribe_output(stream: i32) -> i32;
    #[link_name = "[resource-drop]output-stream"]
    fn drop_output(stream: i32);
}

#[link(wasm_import_module = "wasi:io/poll@0.2.12")]
extern "C" {
    #[link_name = "[method]pollable.block"]
    fn block(pollable: i32);
    #[link_name = "[resource-drop]pollable"]
    fn drop_pollable(pollable: i32);
}

/// Where a result is written that does not fit one number.
#[repr(C, align(8))]
struct Returned([u8; 72]);

impl Returned {
    fn of(call: impl FnOnce(*mut u8)) -> Returned {
        let mut returned = Returned([0; 72]);
        call(returned.0.as_mut_ptr());
        returned
    }

    fn word(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    /// The bytes of a list whose address and length stand there.
    unsafe fn bytes(&self, at: usize) -> Vec<u8> {
        match self.word(at + 4) as usize {
            0 => Vec::new(),
            len => Vec::from_raw_parts(self.word(at) as *mut u8, len, len),
        }
    }
}

/// Makes room for what the host hands over. Source: CanonicalABI.md, `realloc`.
///
/// # Safety
/// For the host alone: `old` is null, or what this function answered with the same alignment and `old_len`.
#[no_mangle]
pub unsafe extern "C" fn cabi_realloc(old: *mut u8, old_len: usize, align: usize, len: usize) -> *mut u8 {
    use std::alloc::{alloc, realloc, Layout};
    if len == 0 {
        return align as *mut u8;
    }
    match old_len {
        0 => alloc(Layout::from_size_align_unchecked(len, align)),
        _ => realloc(old, Layout::from_size_align_unchecked(old_len, align), len),
    }
}

#[derive(Default)]
struct Script {
    request: i32,
    out: i32,
    fields: i32,
    response: Option<i32>,
    body: Option<i32>,
    stream: Option<i32>,
    trailers: Option<i32>,
    incoming: Option<(i32, i32)>,
    last: String,
}

/// How an operation of a stream went: the first byte of its result, then the case of a stream-error.
unsafe fn stream_word(returned: &Returned, error_at: usize) -> String {
    if returned.0[0] == 0 {
        return "ok".into();
    }
    if returned.0[error_at] != 0 {
        return "closed".into();
    }
    let code = Returned::of(|result| http_error_code(returned.word(error_at + 4), result));
    match code.0[0] {
        1 => format!("failed {}", code.0[8]),
        _ => "failed".into(),
    }
}

fn header_word(is_error: u8, error: u8) -> String {
    match (is_error, error) {
        (0, _) => "ok",
        (_, 0) => "invalid-syntax",
        (_, 1) => "forbidden",
        (_, _) => "immutable",
    }
    .into()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn pair(text: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = text.split_once('=').unwrap();
    (unhex(name), unhex(value))
}

unsafe fn append(fields: i32, argument: &str) -> String {
    let (name, value) = pair(argument);
    let returned =
        Returned::of(|result| append_field(fields, name.as_ptr(), name.len(), value.as_ptr(), value.len(), result));
    header_word(returned.0[0], returned.0[1])
}

impl Script {
    unsafe fn response(&mut self) -> i32 {
        *self.response.get_or_insert_with(|| new_response(self.fields))
    }

    unsafe fn body(&mut self) -> i32 {
        let response = self.response();
        *self.body.get_or_insert_with(|| Returned::of(|result| response_body(response, result)).word(4))
    }

    unsafe fn stream(&mut self) -> i32 {
        let body = self.body();
        *self.stream.get_or_insert_with(|| Returned::of(|result| body_write(body, result)).word(4))
    }

    unsafe fn put(&mut self, bytes: &[u8]) -> String {
        let stream = self.stream();
        let mut rest = bytes;
        while !rest.is_empty() {
            let permitted = Returned::of(|result| check_write(stream, result));
            if permitted.0[0] != 0 {
                return stream_word(&permitted, 8);
            }
            let most = (permitted.word(8) as usize).min(rest.len());
            if most == 0 {
                let pollable = subscribe_output(stream);
                block(pollable);
                drop_pollable(pollable);
                continue;
            }
            let written = Returned::of(|result| write(stream, rest.as_ptr(), most, result));
            if written.0[0] != 0 {
                return stream_word(&written, 4);
            }
            rest = &rest[most..];
        }
        "ok".into()
    }

    unsafe fn incoming(&mut self) -> i32 {
        let request = self.request;
        self.incoming
            .get_or_insert_with(|| {
                let body = Returned::of(|result| consume_request(request, result)).word(4);
                (body, Returned::of(|result| body_stream(body, result)).word(4))
            })
            .1
    }

    /// Reads the request's body to its end, and writes it where `echoes` says so.
    unsafe fn read_all(&mut self, echoes: bool) -> String {
        let stream = self.incoming();
        let mut count = 0;
        loop {
            let returned = Returned::of(|result| read(stream, 65_536, result));
            if returned.0[0] != 0 {
                return format!("{} {}", stream_word(&returned, 4), count);
            }
            let bytes = returned.bytes(4);
            count += bytes.len();
            if echoes {
                let word = self.put(&bytes);
                if word != "ok" {
                    return word;
                }
            }
        }
    }

    unsafe fn finish(&mut self) -> String {
        let body = self.body();
        if let Some(stream) = self.stream.take() {
            drop_output(stream);
        }
        let trailers = self.trailers.take();
        let returned =
            Returned::of(|result| finish_body(body, i32::from(trailers.is_some()), trailers.unwrap_or(0), result));
        match returned.0[0] {
            0 => "ok".into(),
            _ => format!("failed {}", returned.0[8]),
        }
    }

    unsafe fn step(&mut self, name: &str, argument: &str) -> String {
        match name {
            "field" => return append(self.fields, argument),
            "list" => {
                let (name, value) = pair(argument);
                let entry = [name.as_ptr() as usize, name.len(), value.as_ptr() as usize, value.len()];
                let returned = Returned::of(|result| fields_from_list(&entry, 1, result));
                if returned.0[0] == 0 {
                    drop_fields(returned.word(4));
                    return "ok".into();
                }
                return header_word(returned.0[0], returned.0[4]);
            }
            "take-headers" => {
                let headers = request_headers(self.request);
                self.fields = clone_fields(headers);
                drop_fields(headers);
            }
            "status" => {
                let refused = set_status(self.response(), argument.parse().unwrap());
                return if refused == 0 { "ok" } else { "refused" }.into();
            }
            "head" => {
                self.stream();
                set_response(self.out, 0, self.response(), 0, 0, 0, 0, 0, 0)
            }
            "bare-head" => set_response(self.out, 0, self.response(), 0, 0, 0, 0, 0, 0),
            "error" => set_response(self.out, 1, argument.parse().unwrap(), 0, 0, 0, 0, 0, 0),
            "drop-out" => drop_outparam(self.out),
            "put" => return self.put(&unhex(argument)),
            "zeros" => return self.put(&vec![0; argument.parse().unwrap()]),
            "blocking" => {
                let bytes = unhex(argument);
                let stream = self.stream();
                let returned = Returned::of(|result| blocking_write(stream, bytes.as_ptr(), bytes.len(), result));
                return stream_word(&returned, 4);
            }
            "say" => {
                let text = format!("{}\n", self.last);
                return self.put(text.as_bytes());
            }
            "read" => return self.read_all(false),
            "echo" => return self.read_all(true),
            "drop-input" => {
                self.incoming();
                let (body, stream) = self.incoming.take().unwrap();
                drop_input(stream);
                drop_incoming_body(body);
            }
            "drop-stream" => drop_output(self.stream.take().unwrap()),
            "drop-body" => {
                if let Some(stream) = self.stream.take() {
                    drop_output(stream);
                }
                drop_body(self.body());
            }
            "trailer" => {
                let trailers = *self.trailers.get_or_insert_with(|| new_fields());
                return append(trailers, argument);
            }
            "finish" => return self.finish(),
            "spin" => loop {},
            "expect" => assert_eq!(self.last, argument.replace("%20", " ")),
            _ => panic!("no step {}", name),
        }
        "ok".into()
    }
}

/// # Safety
/// For the host alone.
#[export_name = "wasi:http/incoming-handler@0.2.12#handle"]
pub unsafe extern "C" fn handle(request: i32, out: i32) {
    let returned = Returned::of(|result| path_with_query(request, result));
    let path = String::from_utf8(returned.bytes(4)).unwrap();
    let mut script = Script { request, out, fields: new_fields(), ..Script::default() };
    for step in path.split_once('?').map_or("", |(_, query)| query).split('&').filter(|step| !step.is_empty()) {
        let (name, argument) = step.split_once(':').unwrap_or((step, ""));
        let word = script.step(name, argument);
        if name != "expect" && name != "say" {
            script.last = word;
        }
    }
    if let Some((body, stream)) = script.incoming.take() {
        drop_input(stream);
        drop_incoming_body(body);
    }
    drop_request(request);
}
