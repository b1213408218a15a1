//! Pods as processes. `actions` decides and is pure; the rest starts, stops and observes.

pub mod actions;
mod launcher;
mod logs;
mod observe;
mod pool;
mod processes;
mod spawn;
mod supervisor;

pub use launcher::Launcher;
pub use logs::{LogLine, Stream, parse_line};
pub use observe::supervisor_of;
pub use processes::kill_strays;
pub use spawn::{detach, request_stop};
