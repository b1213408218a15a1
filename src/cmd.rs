//! One file per verb: args and one function.

/// Parses the command line, runs the verb and maps its result to an exit code.
pub fn run() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
