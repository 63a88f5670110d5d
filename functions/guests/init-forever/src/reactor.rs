//! A reactor whose initialisation never ends.

guest::export_initialize!();

#[no_mangle]
pub extern "C" fn nebula_init() {
    loop {
        std::hint::spin_loop();
    }
}

#[no_mangle]
pub extern "C" fn handle() -> i32 {
    guest::answer_call(|_input, output| {
        guest::write_line(output, format_args!("initialised"));
        Ok(())
    })
}
