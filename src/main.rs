//! The command `overhear`.

fn main() {}
