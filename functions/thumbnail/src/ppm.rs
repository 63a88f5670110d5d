//! Reads a binary PPM picture. Source: the ppm(5) page of Netpbm.

use guest::Refusal;

const LARGEST_SIDE: usize = 16_384;

#[derive(Debug)]
pub struct Picture<'a> {
    pub width: usize,
    pub height: usize,
    /// Red, green and blue of each pixel, row by row.
    pub pixels: &'a [u8],
}

/// The picture that `input` holds.
///
/// # Errors
/// Another format, a size that is missing or out of range, another depth than 8 bits, or too few pixels.
pub fn parse(input: &[u8]) -> Result<Picture<'_>, Refusal> {
    let rest = input.strip_prefix(b"P6").ok_or_else(|| unreadable("it does not start with \"P6\""))?;
    let (width, rest) = header_number(rest)?;
    let (height, rest) = header_number(rest)?;
    let (depth, rest) = header_number(rest)?;
    if width == 0 || height == 0 || width > LARGEST_SIDE || height > LARGEST_SIDE {
        return Err(unreadable(&format!("expected sides from 1 to {LARGEST_SIDE}, got {width} x {height}")));
    }
    if depth != 255 {
        return Err(unreadable(&format!("expected a maximum of 255, got {depth}")));
    }
    let pixels = rest.get(1..).unwrap_or(&[]);
    let size_bytes = width * height * 3;
    if pixels.len() < size_bytes {
        return Err(unreadable(&format!("expected {size_bytes} bytes of pixels, got {}", pixels.len())));
    }
    Ok(Picture { width, height, pixels: &pixels[..size_bytes] })
}

/// A decimal number after white space and comments, and what follows it.
fn header_number(mut bytes: &[u8]) -> Result<(usize, &[u8]), Refusal> {
    loop {
        match bytes.first() {
            Some(byte) if byte.is_ascii_whitespace() => bytes = &bytes[1..],
            Some(b'#') => {
                let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
                bytes = &bytes[end..];
            }
            _ => break,
        }
    }
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.map(|number| (number, rest)).ok_or_else(|| unreadable("its header lacks a number"))
}

fn unreadable(detail: &str) -> Refusal {
    Refusal::new(format_args!("Cannot read the input as a PPM picture: {detail}"))
}
