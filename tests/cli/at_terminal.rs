//! A command at a pseudo-terminal, as somebody types into one.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use nix::pty::Winsize;
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::common::{Invocation, SOON, eventually};

/// The command, and the terminal as its user sees it.
pub(crate) struct AtTerminal {
    keyboard: std::fs::File,
    screen: Arc<Mutex<Vec<u8>>>,
    pub(crate) child: Child,
}

impl AtTerminal {
    /// Starts a command whose standard streams are a terminal of 40 lines and 120 columns.
    pub(crate) fn start(invocation: &Invocation<'_>) -> Self {
        Self::start_program(invocation.build())
    }

    /// The same of another program.
    pub(crate) fn start_program(mut command: Command) -> Self {
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        let ends = nix::pty::openpty(Some(&size), None).expect("a terminal");
        // What other tests start must not hold it open.
        for end in [&ends.master, &ends.slave] {
            let flags = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC);
            nix::fcntl::fcntl(end, flags).expect("set up the terminal");
        }
        let end = || Stdio::from(ends.slave.try_clone().expect("a copy"));
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "vt100");
        let child = command.spawn().expect("start jobctl");
        drop(command);
        let keyboard = std::fs::File::from(ends.master);
        let mut from = keyboard.try_clone().expect("a copy");
        let screen: Arc<Mutex<Vec<u8>>> = Arc::default();
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Nobody has the other end any more: an error.
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                shown.lock().expect("the screen").extend_from_slice(&buffer[..count]);
            }
        });
        Self { keyboard, screen, child }
    }

    /// Types something.
    pub(crate) fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("type");
    }

    /// What has been shown so far.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("the screen")).into_owned()
    }

    /// Waits until that is shown.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let started = std::time::Instant::now();
        while !self.screen().contains(text) {
            assert!(started.elapsed() < SOON, "{text:?} is not shown: {:?}", self.screen());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Whether lines are edited, and keys echoed, by the terminal itself: as a shell leaves it.
    pub(crate) fn is_cooked(&self) -> bool {
        let settings = tcgetattr(&self.keyboard).expect("look at the terminal");
        settings.local_flags.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
    }

    /// Another size, which the command is told as by a window that is pulled.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.keyboard, size).expect("resize");
        crate::common::kill(self.child.id() as i32, nix::sys::signal::Signal::SIGWINCH);
    }

    /// Waits for the command's end: its exit code, or the signal that ended it, negative.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt as _;
        let mut status = None;
        eventually(SOON, || {
            status = self.child.try_wait().expect("wait for jobctl");
            status.is_some()
        });
        let status = status.expect("an end");
        status.code().unwrap_or_else(|| -status.signal().unwrap_or(0))
    }
}
