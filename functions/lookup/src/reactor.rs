//! Answers keys from a table that its initialisation builds: a reactor whose snapshot is worth having.

mod table;

guest::export_initialize!();

#[no_mangle]
pub extern "C" fn nebula_init() {
    table::build_or_exit();
}

#[no_mangle]
pub extern "C" fn handle() -> i32 {
    guest::answer_call(table::look_up)
}
