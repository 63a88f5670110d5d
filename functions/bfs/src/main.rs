//! Breadth-first search from node 0 of a generated graph of n nodes, 3 undirected links each: how many nodes were
//! reached, the greatest distance, and a checksum over all distances.

use guest::{Refusal, Sequence};
use std::collections::VecDeque;

const LINKS: u32 = 3;
const UNREACHED: u32 = u32::MAX;

fn neighbours(n: u32) -> Vec<Vec<u32>> {
    let mut sequence = Sequence::new(11);
    let mut neighbours = vec![Vec::new(); n as usize];
    for node in 0..n {
        for _ in 0..LINKS {
            let other = sequence.below(n);
            neighbours[node as usize].push(other);
            neighbours[other as usize].push(node);
        }
    }
    neighbours
}

fn distances(neighbours: &[Vec<u32>]) -> Vec<u32> {
    let mut distances = vec![UNREACHED; neighbours.len()];
    distances[0] = 0;
    let mut queue = VecDeque::from([0_u32]);
    while let Some(node) = queue.pop_front() {
        let next = distances[node as usize] + 1;
        for &other in &neighbours[node as usize] {
            if distances[other as usize] == UNREACHED {
                distances[other as usize] = next;
                queue.push_back(other);
            }
        }
    }
    distances
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let n = guest::whole_number(input, 1..=1_000_000)? as u32;
    let distances = distances(&neighbours(n));
    let reached = distances.iter().filter(|&&distance| distance != UNREACHED);
    let (count, greatest) = reached.fold((0, 0), |(count, greatest), &distance| (count + 1, distance.max(greatest)));
    let checksum = guest::checksum(distances.iter().flat_map(|distance| distance.to_le_bytes()));
    guest::write_line(output, format_args!("{count} {greatest} {checksum:016x}"));
    Ok(())
}

fn main() {
    guest::run(answer);
}
