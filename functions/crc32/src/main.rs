//! The CRC-32 of the input, in hex. Source: ISO 3309, as in RFC 1952, section 8.

use guest::Refusal;

const POLYNOMIAL: u32 = 0xedb8_8320;

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = if remainder & 1 == 1 { POLYNOMIAL } else { 0 };
            remainder = remainder >> 1 ^ carry;
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
}

static TABLE: [u32; 256] = table();

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let remainder = input.iter().fold(u32::MAX, |sum, &byte| TABLE[usize::from(sum as u8 ^ byte)] ^ sum >> 8);
    guest::write_line(output, format_args!("{:08x}", !remainder));
    Ok(())
}

fn main() {
    guest::run(answer);
}
