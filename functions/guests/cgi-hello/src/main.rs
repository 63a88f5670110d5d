//! A CGI/1.1 script (RFC 3875). `PATH_INFO` chooses the answer: `/` the request's meta-variables, `/echo` its body,
//! `/status/CODE` that status, `/redirect` a Location, `/malformed` no header block, `/exit` a failure after a body.

use guest::Refusal;

/// Meta-variables a request may have, in the order they are shown; `HTTP_*` follow by name.
const META_VARIABLES: [&str; 9] = [
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SERVER_PROTOCOL",
    "GATEWAY_INTERFACE",
    "REMOTE_ADDR",
];

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn show_request(input: &[u8], output: &mut Vec<u8>) {
    guest::write_line(output, format_args!("Content-Type: text/plain; charset=utf-8\n"));
    for name in META_VARIABLES {
        guest::write_line(output, format_args!("{name}={}", variable(name)));
    }
    let mut headers: Vec<_> = std::env::vars().filter(|(name, _)| name.starts_with("HTTP_")).collect();
    headers.sort();
    for (name, value) in headers {
        guest::write_line(output, format_args!("{name}={value}"));
    }
    guest::write_line(output, format_args!("body of {} bytes", input.len()));
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let path = variable("PATH_INFO");
    match path.as_str() {
        "" | "/" => show_request(input, output),
        "/echo" => {
            let content_type = variable("CONTENT_TYPE");
            let shown = if content_type.is_empty() { "application/octet-stream" } else { &content_type };
            guest::write_line(output, format_args!("Content-Type: {shown}\r\nX-Answered-By: cgi-hello\r\n\r"));
            output.extend_from_slice(input);
        }
        "/redirect" => guest::write_line(output, format_args!("Location: https://example.org/\n")),
        "/malformed" => guest::write_line(output, format_args!("this is no header block")),
        "/exit" => {
            guest::write_line(output, format_args!("Content-Type: text/plain\n\nhalf an answer"));
            return Err(Refusal::new("gives up"));
        }
        other => {
            let code = other.strip_prefix("/status/").unwrap_or("404");
            let code = guest::whole_number(code.as_bytes(), 200..=599)?;
            guest::write_line(output, format_args!("Status: {code} As Asked\nContent-Type: text/plain\n"));
            guest::write_line(output, format_args!("status {code}"));
        }
    }
    Ok(())
}

fn main() {
    guest::run(answer);
}
