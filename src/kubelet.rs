//! Pods as processes. `actions` decides and is pure; the rest starts, stops and observes.

pub mod actions;
mod background;
mod kernel;
mod launcher;
mod logs;
mod observe;
mod pool;
mod processes;
mod spawn;
mod supervisor;

pub use background::{controller_by_supervisor, start_detached};
pub use kernel::{Facility, Limits, facilities, limits};
pub use launcher::Launcher;
pub use logs::{LogLine, Stream, parse_line};
pub use observe::{Supervisor, continue_if_stopped, kill_supervisor, supervisor_of};
pub use processes::{PodProcess, Session, kill_strays, pod_processes, since_boot};
pub use spawn::{raise_open_files, request_stop, set_title};
