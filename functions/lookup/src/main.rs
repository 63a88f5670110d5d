//! The native form of the reactor: builds the table, then answers.

mod table;

fn main() {
    table::build_or_exit();
    guest::run(table::look_up);
}
