//! The spectral norm of the infinite matrix A, A(i,j) = 1/((i+j)(i+j+1)/2+i+1), cut to n by n: ten power iterations.
//! After spectral-norm of the Computer Language Benchmarks Game.

use guest::Refusal;

fn element(i: usize, j: usize) -> f64 {
    1.0 / ((i + j) * (i + j + 1) / 2 + i + 1) as f64
}

fn multiply(vector: &[f64], at: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let row = |i| vector.iter().enumerate().map(|(j, value)| at(i, j) * value).sum();
    (0..vector.len()).map(row).collect()
}

fn multiply_by_square(vector: &[f64]) -> Vec<f64> {
    let product = multiply(vector, element);
    multiply(&product, |i, j| element(j, i))
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=10_000)? as usize;
    let mut u = vec![1.0; n];
    let mut v = Vec::new();
    for _ in 0..10 {
        v = multiply_by_square(&u);
        u = multiply_by_square(&v);
    }
    guest::write_line(output, format_args!("{:.9}", (dot(&u, &v) / dot(&v, &v)).sqrt()));
    Ok(())
}

fn main() {
    guest::run(answer);
}
