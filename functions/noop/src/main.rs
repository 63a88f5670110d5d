//! Does nothing: not even its input is read. The floor of every backend.

fn main() {
    guest::serve(|_input, _output| Ok(()));
}
