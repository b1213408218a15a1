//! Pods as processes. `actions` decides and is pure; the rest starts, stops and observes.

pub mod actions;
mod kernel;
mod launcher;
mod logs;
mod observe;
mod pool;
mod processes;
mod spawn;
mod supervisor;

pub use kernel::{Facility, Limits, facilities, limits};
pub use launcher::Launcher;
pub use logs::{LogLine, Stream, parse_line};
pub use observe::supervisor_of;
pub use processes::{PodProcess, kill_strays, pod_processes};
pub use spawn::{detach, request_stop};
