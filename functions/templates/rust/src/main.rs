use std::io::{stdin, Read};

fn main() {
    let mut name = String::new();
    stdin().read_to_string(&mut name).expect("input is UTF-8");
    println!("Hello, {}!", name.trim());
}
