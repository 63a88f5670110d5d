//! A reactor whose initialisation executes `unreachable`.

guest::export_initialize!();

#[no_mangle]
pub extern "C" fn nebula_init() {
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
}

#[no_mangle]
pub extern "C" fn handle() -> i32 {
    guest::answer_call(|_input, output| {
        guest::write_line(output, format_args!("initialised"));
        Ok(())
    })
}
