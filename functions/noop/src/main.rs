//! Does nothing: not even its input is read. The floor of every backend.

fn main() {
    if !guest::serve(|_input, _output| Ok(())) {
        guest::answer_nothing();
    }
}
