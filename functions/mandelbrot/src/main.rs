//! The Mandelbrot set on an n by n grid over [-1.5, 0.5] x [-1, 1], 50 steps a point, as a bitmap of which the number
//! of points inside and a checksum are told. After mandelbrot of the Computer Language Benchmarks Game.

use guest::Refusal;

const STEPS: u32 = 50;

fn is_inside(c_real: f64, c_imaginary: f64) -> bool {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for _ in 0..STEPS {
        let (real_squared, imaginary_squared) = (real * real, imaginary * imaginary);
        if real_squared + imaginary_squared > 4.0 {
            return false;
        }
        imaginary = 2.0 * real * imaginary + c_imaginary;
        real = real_squared - imaginary_squared + c_real;
    }
    true
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=8192)? as usize;
    let row_bytes = (n + 7) / 8;
    let mut bitmap = vec![0_u8; row_bytes * n];
    let mut inside = 0;
    for y in 0..n {
        let c_imaginary = 2.0 * y as f64 / n as f64 - 1.0;
        for x in 0..n {
            if is_inside(2.0 * x as f64 / n as f64 - 1.5, c_imaginary) {
                inside += 1;
                bitmap[y * row_bytes + x / 8] |= 0x80 >> (x % 8);
            }
        }
    }
    guest::write_line(output, format_args!("{inside} {:016x}", guest::checksum(bitmap)));
    Ok(())
}

fn main() {
    guest::run(answer);
}
