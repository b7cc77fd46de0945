//! The command `overhear`.

use std::process::ExitCode;

fn main() -> ExitCode {
    overhear::cli::main(std::env::args_os())
}
