//! PageRank of a generated directed graph of n nodes, 4 links each: the three highest ranks, and a checksum over the
//! bits of all. Damping 0.85, 30 iterations. Source: Page, Brin, Motwani, Winograd 1999.

use guest::{Refusal, Sequence};

const LINKS: usize = 4;
const DAMPING: f64 = 0.85;
const ITERATIONS: usize = 30;
const SHOWN: usize = 3;

/// The targets of each node's links. The smaller of two draws, so that some nodes are linked to more than others.
fn links(n: u32) -> Vec<[u32; LINKS]> {
    let mut sequence = Sequence::new(7);
    (0..n).map(|_| [(); LINKS].map(|()| sequence.below(n).min(sequence.below(n)))).collect()
}

fn ranks(links: &[[u32; LINKS]]) -> Vec<f64> {
    let n = links.len() as f64;
    let mut ranks = vec![1.0 / n; links.len()];
    for _ in 0..ITERATIONS {
        let mut next = vec![(1.0 - DAMPING) / n; links.len()];
        for (targets, rank) in links.iter().zip(&ranks) {
            let share = DAMPING * rank / LINKS as f64;
            for &target in targets {
                next[target as usize] += share;
            }
        }
        ranks = next;
    }
    ranks
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=1_000_000)? as u32;
    let ranks = ranks(&links(n));
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_by(|&left, &right| ranks[right].total_cmp(&ranks[left]));
    for &node in order.iter().take(SHOWN) {
        guest::write_line(output, format_args!("{node} {:.9}", ranks[node]));
    }
    let checksum = guest::checksum(ranks.iter().flat_map(|rank| rank.to_le_bytes()));
    guest::write_line(output, format_args!("{checksum:016x}"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
