//! Pods as processes. `actions` decides and is pure; the rest starts, stops and observes.

pub mod actions;
mod background;
mod cgroup;
mod clock;
mod kernel;
mod last_message;
mod launcher;
mod logs;
mod memory_volumes;
mod observe;
mod pool;
mod probe_process;
mod processes;
mod program;
mod sandbox;
mod spawn;
mod start;
mod supervisor;
mod usage;
mod volume_sizes;
mod volumes;

pub use background::{COMPANION, CONTROLLER, controller_by_supervisor, start_detached};
pub use cgroup::{limited_by_groups, remove_left as remove_groups};
pub use clock::{SteadyClock, since_boot};
pub use kernel::{Facility, Limits, facilities, limits, raise_open_files};
pub use launcher::Launcher;
pub use logs::{CHUNK, LogLine, LogOptions, LogPiece, LogReader, Runs, Stream, parse_line};
pub use observe::{Supervisor, continue_if_stopped, kill_supervisor, supervisor_of};
pub use processes::{PodProcess, Session, kill_strays, pod_processes};
pub use program::{NoProgram, find_program};
pub use spawn::{request_stop, set_title};
pub use usage::{Usage, usage_of_machine, usage_of_pods};
pub use volumes::{prepare as prepare_volumes, write_files};
