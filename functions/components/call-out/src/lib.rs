//! Asks another server: `/?http://origin/path` answers with what that URL answers, its body passed on piece by piece. Which
//! origins it may ask is the manifest's to say.

use http::{get, Request, Responder};

http::export!(handle);

fn handle(request: Request, responder: Responder) {
    let target = request.path_with_query();
    let url = match target.split_once('?') {
        Some((_, url)) if !url.is_empty() => url,
        _ => return responder.answer(400, "expected a URL behind the question mark\n"),
    };
    let response = match get(url) {
        Ok(response) => response,
        Err(code) => return responder.answer(502, &format!("Cannot get {}: {}\n", url, reason(code))),
    };
    let body = response.body();
    let mut output = responder.begin(response.status(), &[]);
    if let Some(mut body) = body {
        while let Some(bytes) = body.read() {
            if !output.write(&bytes) {
                return;
            }
        }
    }
    output.finish(&[]);
}

/// What an error-code of wasi:http means, for those a caller can do something about.
fn reason(code: u8) -> String {
    match code {
        1 | 2 => "its name is not known".into(),
        4 => "its address is not allowed".into(),
        6 => "it refuses connections".into(),
        15 => "the manifest does not grant its origin".into(),
        19 => "it is no http or https URL".into(),
        33 => "it does not answer in time".into(),
        other => format!("error-code {}", other),
    }
}
