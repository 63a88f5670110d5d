//! Says "before the trap" on stderr, then executes `unreachable`.

fn main() {
    eprintln!("before the trap");
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_family = "wasm"))]
    std::process::abort();
}
