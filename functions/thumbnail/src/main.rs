//! A picture (binary PPM, 8 bits a channel) shrunk to fit into 200 by 200 pixels, by averaging the pixels that fall
//! into each new one. A picture that fits already is answered as it is.

mod ppm;

use guest::Refusal;
use ppm::Picture;

const SIDE: usize = 200;

/// Width and height at most SIDE, in the picture's proportion, at least 1.
fn fitted_size(width: usize, height: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= SIDE {
        return (width, height);
    }
    ((width * SIDE / longer).max(1), (height * SIDE / longer).max(1))
}

/// The old pixels that new pixel `index` of `count` covers out of `total`.
fn covered(index: usize, count: usize, total: usize) -> std::ops::Range<usize> {
    index * total / count..(index + 1) * total / count
}

fn average(picture: &Picture, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> [u8; 3] {
    let count = (rows.len() * columns.len()) as u64;
    let mut sums = [0_u64; 3];
    for row in rows {
        let start = (row * picture.width + columns.start) * 3;
        for pixel in picture.pixels[start..start + columns.len() * 3].chunks_exact(3) {
            for (sum, &channel) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(channel);
            }
        }
    }
    sums.map(|sum| ((sum + count / 2) / count) as u8)
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let picture = ppm::parse(input)?;
    let (width, height) = fitted_size(picture.width, picture.height);
    guest::write_line(output, format_args!("P6\n{width} {height}\n255"));
    output.reserve(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let rows = covered(y, height, picture.height);
            output.extend_from_slice(&average(&picture, rows, covered(x, width, picture.width)));
        }
    }
    Ok(())
}

fn main() {
    guest::run(answer);
}
