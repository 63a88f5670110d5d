//! e to the power of x, and its bits.
//!
//! Computed with additions, multiplications and divisions only: those are the same to the last bit on every machine,
//! while the `exp` of one C library differs from that of another.

use guest::Refusal;

/// ln 2 in two parts; the first has its low 32 bits clear, so that a product with an exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Terms of the Taylor series; at |r| <= ln 2 / 2 the first one left out is below 1e-18.
const TERMS: u32 = 15;

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// e^x for -708 <= x <= 709: x = k ln 2 + r, e^x = 2^k e^r.
fn exponential(x: f64) -> f64 {
    let scaled = x / std::f64::consts::LN_2;
    let k = (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i32;
    let r_high = x - f64::from(k) * LN_2_HIGH;
    let r_low = f64::from(k) * LN_2_LOW;
    let r = r_high - r_low;
    // What the subtraction above rounded away; e^(r + lost) is e^r + lost to first order.
    let lost = (r_high - r) - r_low;
    // Horner's scheme for (e^r - 1 - r) / r^2, whose rounding errors shrink by r^2 at the end.
    let mut tail = 0.0;
    for term in (2..=TERMS).rev() {
        tail = (1.0 + tail * r) / f64::from(term);
    }
    // 1 + r in two parts, the exact sum, so that only the last addition rounds by more than a hair.
    let high = 1.0 + r;
    let low = (1.0 - high) + r;
    let sum = high + (low + (r * tail * r + lost));
    // In two steps, because 2^1023 times a sum below 1 would need the exponent 1024 for its first factor.
    let half = k / 2;
    sum * power_of_two(half) * power_of_two(k - half)
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let result = exponential(guest::decimal(input, -708.0..=709.0)?);
    guest::write_line(output, format_args!("{result:e} {:016x}", result.to_bits()));
    Ok(())
}

fn main() {
    guest::run(answer);
}
