//! A reactor that shows whether anything of one call is left for the next.

mod held;

guest::export_initialize!();

#[no_mangle]
pub extern "C" fn handle() -> i32 {
    guest::answer_call(held::answer)
}
