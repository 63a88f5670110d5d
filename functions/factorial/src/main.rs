//! n!, for n up to 34: 35! does not fit into 128 bits.

use guest::Refusal;

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 0..=34)?;
    let factorial: u128 = (1..=u128::from(n)).product();
    guest::write_line(output, format_args!("{factorial}"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
