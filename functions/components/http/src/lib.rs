//! As much of wasi:http as the Rust components here need, without a generator of bindings: requests in, responses out, bodies
//! as streams, requests to others. Each resource is given back when its value goes.

mod abi;

use abi::Returned;

/// A request as it came in.
pub struct Request(i32);

impl Request {
    /// # Safety
    /// `handle` is the request that `incoming-handler.handle` was given.
    pub unsafe fn from_handle(handle: i32) -> Request {
        Request(handle)
    }

    /// The path and the query behind it, as the request line has them.
    pub fn path_with_query(&self) -> String {
        let returned = Returned::of(|result| unsafe { abi::path_with_query(self.0, result) });
        match returned.byte(0) {
            1 => String::from_utf8_lossy(&unsafe { returned.bytes(4) }).into_owned(),
            _ => String::new(),
        }
    }

    /// The body, which can be had once.
    pub fn body(&self) -> Option<Input> {
        Input::of(Returned::of(|result| unsafe { abi::consume_request(self.0, result) }))
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        unsafe { abi::drop_incoming_request(self.0) }
    }
}

/// The bytes of a body that comes in.
pub struct Input {
    body: i32,
    stream: i32,
}

impl Input {
    fn of(consumed: Returned) -> Option<Input> {
        if consumed.byte(0) != 0 {
            return None;
        }
        let body = consumed.word(4);
        let opened = Returned::of(|result| unsafe { abi::body_stream(body, result) });
        if opened.byte(0) != 0 {
            unsafe { abi::drop_incoming_body(body) };
            return None;
        }
        Some(Input { body, stream: opened.word(4) })
    }

    /// The next bytes, as soon as there are some; None at the end, and where the sender broke off.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        const MOST: i64 = 65_536;
        let returned = Returned::of(|result| unsafe { abi::read(self.stream, MOST, result) });
        match returned.byte(0) {
            0 => Some(unsafe { returned.bytes(4) }),
            _ => None,
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        unsafe {
            abi::drop_input(self.stream);
            abi::drop_incoming_body(self.body);
        }
    }
}

/// Names and values of a head or a trailer.
pub type Fields<'a> = [(&'a str, &'a str)];

fn new_fields(fields: &Fields) -> i32 {
    let handle = unsafe { abi::new_fields() };
    for (name, value) in fields {
        Returned::of(|result| unsafe {
            abi::append_field(handle, name.as_ptr(), name.len(), value.as_ptr(), value.len(), result)
        });
    }
    handle
}

/// Where the answer to a request goes.
pub struct Responder(i32);

impl Responder {
    /// # Safety
    /// `handle` is the response-outparam that `incoming-handler.handle` was given.
    pub unsafe fn from_handle(handle: i32) -> Responder {
        Responder(handle)
    }

    /// Sends the head; the body follows as it is written.
    pub fn begin(self, status: u16, headers: &Fields) -> Output {
        unsafe {
            let response = abi::new_response(new_fields(headers));
            abi::set_status(response, i32::from(status));
            let body = Returned::of(|result| abi::response_body(response, result)).word(4);
            let stream = Returned::of(|result| abi::body_write(body, result)).word(4);
            abi::set_response(self.0, 0, response, 0, 0, 0, 0, 0, 0);
            Output { body, stream }
        }
    }

    /// Sends a whole answer of text.
    pub fn answer(self, status: u16, text: &str) {
        let mut output = self.begin(status, &[("content-type", "text/plain; charset=utf-8")]);
        output.write(text.as_bytes());
        output.finish(&[]);
    }
}

/// The body of a response.
pub struct Output {
    body: i32,
    stream: i32,
}

impl Output {
    /// Writes all of the bytes, waiting while whoever reads them is slower; false when nobody reads them any more.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            let permitted = Returned::of(|result| unsafe { abi::check_write(self.stream, result) });
            if permitted.byte(0) != 0 {
                return false;
            }
            let most = permitted.long(8).min(rest.len() as u64) as usize;
            if most == 0 {
                wait(unsafe { abi::subscribe_output(self.stream) });
                continue;
            }
            let (part, left) = rest.split_at(most);
            let written = Returned::of(|result| unsafe { abi::write(self.stream, part.as_ptr(), part.len(), result) });
            if written.byte(0) != 0 {
                return false;
            }
            rest = left;
        }
        Returned::of(|result| unsafe { abi::flush(self.stream, result) }).byte(0) == 0
    }

    /// Ends the body. Without this call the response is cut off.
    pub fn finish(self, trailers: &Fields) {
        let Output { body, stream } = self;
        unsafe {
            abi::drop_output(stream);
            let (has_trailers, fields) = if trailers.is_empty() { (0, 0) } else { (1, new_fields(trailers)) };
            Returned::of(|result| abi::finish_body(body, has_trailers, fields, result));
        }
    }
}

/// Waits until a pollable is ready, and gives it back.
fn wait(pollable: i32) {
    unsafe {
        abi::block(pollable);
        abi::drop_pollable(pollable);
    }
}

/// What another server answered.
pub struct Response {
    handle: i32,
}

impl Response {
    pub fn status(&self) -> u16 {
        unsafe { abi::status_of(self.handle) as u16 }
    }

    pub fn body(&self) -> Option<Input> {
        Input::of(Returned::of(|result| unsafe { abi::consume_response(self.handle, result) }))
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        unsafe { abi::drop_incoming_response(self.handle) }
    }
}

/// Gets a URL of the form `http://authority/path` and waits for the head of the answer.
/// An error is the number of the case of wasi:http's error-code.
pub fn get(url: &str) -> Result<Response, u8> {
    const URI_INVALID: u8 = 19;
    const HTTP: i32 = 0;
    const HTTPS: i32 = 1;
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (HTTP, rest),
        Some(("https", rest)) => (HTTPS, rest),
        _ => return Err(URI_INVALID),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    unsafe {
        let request = abi::new_request(abi::new_fields());
        let refused = abi::set_scheme(request, 1, scheme, std::ptr::null(), 0)
            | abi::set_authority(request, 1, authority.as_ptr(), authority.len())
            | abi::set_path(request, 1, path.as_ptr(), path.len());
        if refused != 0 {
            return Err(URI_INVALID);
        }
        let sent = Returned::of(|result| abi::send(request, 0, 0, result));
        if sent.byte(0) != 0 {
            return Err(sent.byte(8));
        }
        let future = sent.word(8);
        wait(abi::subscribe_response(future));
        let got = Returned::of(|result| abi::get_response(future, result));
        abi::drop_future(future);
        // An option around a result around a result: their cases stand at 0, 8 and 16.
        match got.byte(16) {
            0 => Ok(Response { handle: got.word(24) }),
            _ => Err(got.byte(24)),
        }
    }
}

/// Exports `handle` as the component's incoming-handler.
#[macro_export]
macro_rules! export {
    ($handle:ident) => {
        #[export_name = "wasi:http/incoming-handler@0.2.12#handle"]
        pub unsafe extern "C" fn exported(request: i32, out: i32) {
            $handle($crate::Request::from_handle(request), $crate::Responder::from_handle(out));
        }
    };
}
