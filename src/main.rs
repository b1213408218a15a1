//! argv -> `cmd::run` -> exit code.

fn main() -> std::process::ExitCode {
    jobctl::cmd::run()
}
