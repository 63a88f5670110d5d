//! Writes JSON without white space. Source: RFC 8259, sections 6 and 7.

use crate::value::Value;
use std::io::Write;

/// Appends `value` as JSON. Numbers are written so that reading them gives the same number again.
pub fn write(value: &Value, output: &mut Vec<u8>) {
    match value {
        Value::Null => output.extend_from_slice(b"null"),
        Value::Boolean(true) => output.extend_from_slice(b"true"),
        Value::Boolean(false) => output.extend_from_slice(b"false"),
        Value::Number(number) => write!(output, "{number}").expect("a vector takes every byte"),
        Value::Text(text) => write_text(text, output),
        Value::Array(elements) => {
            output.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                separate(index, output);
                write(element, output);
            }
            output.push(b']');
        }
        Value::Object(members) => {
            output.push(b'{');
            for (index, (name, member)) in members.iter().enumerate() {
                separate(index, output);
                write_text(name, output);
                output.push(b':');
                write(member, output);
            }
            output.push(b'}');
        }
    }
}

fn separate(index: usize, output: &mut Vec<u8>) {
    if index > 0 {
        output.push(b',');
    }
}

fn write_text(text: &str, output: &mut Vec<u8>) {
    output.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => output.extend_from_slice(&[b'\\', byte]),
            b'\n' => output.extend_from_slice(b"\\n"),
            0..=0x1f => write!(output, "\\u{byte:04x}").expect("a vector takes every byte"),
            _ => output.push(byte),
        }
    }
    output.push(b'"');
}
