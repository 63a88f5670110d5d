//! n pseudo-random numbers of 32 bits sorted by heapsort: smallest, median, largest, and a checksum over all in order.

use guest::{Refusal, Sequence};

fn sift_down(numbers: &mut [u32], mut root: usize) {
    loop {
        let mut child = 2 * root + 1;
        if child >= numbers.len() {
            return;
        }
        if child + 1 < numbers.len() && numbers[child] < numbers[child + 1] {
            child += 1;
        }
        if numbers[root] >= numbers[child] {
            return;
        }
        numbers.swap(root, child);
        root = child;
    }
}

fn heapsort(numbers: &mut [u32]) {
    for root in (0..numbers.len() / 2).rev() {
        sift_down(numbers, root);
    }
    for end in (1..numbers.len()).rev() {
        numbers.swap(0, end);
        sift_down(&mut numbers[..end], 0);
    }
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=10_000_000)? as usize;
    let mut sequence = Sequence::new(42);
    let mut numbers: Vec<u32> = (0..n).map(|_| sequence.next_u32()).collect();
    heapsort(&mut numbers);
    let checksum = guest::checksum(numbers.iter().flat_map(|number| number.to_le_bytes()));
    guest::write_line(output, format_args!("{} {} {} {checksum:016x}", numbers[0], numbers[n / 2], numbers[n - 1]));
    Ok(())
}

fn main() {
    guest::run(answer);
}
