//! Answers each piece of a request's body as soon as it is there, in capital letters: a stream in both directions.
//! The trailer `transform-bytes` says how many bytes came.

use http::{Request, Responder};

http::export!(handle);

fn handle(request: Request, responder: Responder) {
    let mut body = match request.body() {
        Some(body) => body,
        None => return responder.answer(400, "the request has no body\n"),
    };
    let mut output =
        responder.begin(200, &[("content-type", "text/plain; charset=utf-8"), ("trailer", "transform-bytes")]);
    let mut count = 0;
    while let Some(mut bytes) = body.read() {
        count += bytes.len();
        bytes.make_ascii_uppercase();
        if !output.write(&bytes) {
            return;
        }
    }
    output.finish(&[("transform-bytes", &count.to_string())]);
}
