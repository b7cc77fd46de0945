//! The command `overhear`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    overhear::cli::main(std::env::args_os())
}
