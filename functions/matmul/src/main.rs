//! The product of two n by n matrices of f64: its trace, and a checksum over the bits of all its elements.

use guest::{Refusal, Sequence};

fn matrix(n: usize, seed: u64) -> Vec<f64> {
    let mut sequence = Sequence::new(seed);
    (0..n * n).map(|_| f64::from(sequence.below(2001)) / 1000.0 - 1.0).collect()
}

/// Row by row in the order i, k, j, which reads both matrices along their rows.
fn multiply(left: &[f64], right: &[f64], n: usize) -> Vec<f64> {
    let mut product = vec![0.0; n * n];
    for (row, left_row) in product.chunks_exact_mut(n).zip(left.chunks_exact(n)) {
        for (&factor, right_row) in left_row.iter().zip(right.chunks_exact(n)) {
            for (element, &other) in row.iter_mut().zip(right_row) {
                *element += factor * other;
            }
        }
    }
    product
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=1024)? as usize;
    let product = multiply(&matrix(n, 1), &matrix(n, 2), n);
    let trace: f64 = product.iter().step_by(n + 1).sum();
    let checksum = guest::checksum(product.iter().flat_map(|element| element.to_le_bytes()));
    guest::write_line(output, format_args!("{trace:.9} {checksum:016x}"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
