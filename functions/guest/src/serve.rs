//! The serve loop of a kept native process.
//!
//! Request: length (u32, little-endian), then that many bytes of input. Answer: exit code, stdout length and stderr
//! length (three u32, little-endian), then both streams. The loop ends when stdin ends between two frames.

use crate::{stamp, Handler, Refusal};
use std::io::{self, Read, Write};

/// The largest input a frame may announce, so that a broken frame cannot ask for 4 GiB.
const FRAME_LIMIT_BYTES: usize = 1 << 30;

/// Answers frames of `requests` on `answers` until `requests` ends.
///
/// # Errors
/// What reading or writing failed with; `InvalidData` for a frame above 1 GiB, `UnexpectedEof` for a cut one.
pub fn serve_frames(handler: Handler, requests: &mut impl Read, answers: &mut impl Write) -> io::Result<()> {
    let mut input = Vec::new();
    let mut stdout = Vec::new();
    let mut frame = Vec::new();
    while let Some(length) = read_length(requests)? {
        let start = stamp::start();
        input.resize(length, 0);
        requests.read_exact(&mut input)?;
        stdout.clear();
        let refusal = handler(&input, &mut stdout).err();
        let stamps = start.map(stamp::Start::line);
        frame.clear();
        encode_answer(&mut frame, &stdout, refusal.as_ref(), stamps.as_deref().unwrap_or_default());
        answers.write_all(&frame)?;
    }
    Ok(())
}

fn encode_answer(frame: &mut Vec<u8>, stdout: &[u8], refusal: Option<&Refusal>, stamps: &str) {
    let exit_code = refusal.map_or(0, |refusal| u32::from(refusal.exit_code));
    let mut stderr = refusal.map_or(String::new(), |refusal| format!("{}\n", refusal.message));
    stderr.push_str(stamps);
    frame.extend_from_slice(&exit_code.to_le_bytes());
    frame.extend_from_slice(&(stdout.len() as u32).to_le_bytes());
    frame.extend_from_slice(&(stderr.len() as u32).to_le_bytes());
    frame.extend_from_slice(stdout);
    frame.extend_from_slice(stderr.as_bytes());
}

/// The next frame's length, or None at the end of the requests.
fn read_length(requests: &mut impl Read) -> io::Result<Option<usize>> {
    let mut bytes = [0; 4];
    let mut filled = 0;
    while filled < bytes.len() {
        match requests.read(&mut bytes[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(bytes) as usize;
    if length > FRAME_LIMIT_BYTES {
        let message = format!("expected a frame of at most {FRAME_LIMIT_BYTES} bytes, got one of {length}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(Some(length))
}
