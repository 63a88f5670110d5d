//! The native form of the reactor.

mod held;

fn main() {
    guest::run(held::answer);
}
