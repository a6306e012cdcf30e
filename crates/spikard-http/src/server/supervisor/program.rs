//! The program that is started again for each worker, and what it is handed: the listening socket, and a line to the
//! supervisor that tells each of the two when the other has gone.

use std::{
    ffi::OsString,
    io::{self, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    process::{Child, Command},
};

use rustix::io::{FdFlags, fcntl_setfd};

use super::balance::Counts;

/// The variable by which a worker learns what it is: `nonce:supervisor:listener:line:counts:place:run`, where those in the
/// middle are the numbers of a process, of three descriptors (the third may be missing) and of the worker's place. A binding takes it out of the environment before user code runs.
pub const ASSIGNMENT: &str = "SPIKARD_ASSIGNMENT";

/// How a binding starts its program once more.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable and its arguments.
    pub command: Vec<OsString>,
    /// Where it was started.
    pub folder: PathBuf,
    /// How many processes of it are to serve: `workers`, or one that runs them on its threads.
    pub processes: usize,
    /// Which of the places where the program may begin to serve is meant, in the words of the binding.
    pub run: String,
}

impl Program {
    /// Starts a worker, and answers it and its line.
    pub(super) fn start(
        &self,
        listener: BorrowedFd<'_>,
        (counts, place): (Option<&Counts>, usize),
    ) -> io::Result<(Child, UnixStream)> {
        let (mut ours, theirs) = UnixStream::pair()?;
        let listener = listener.try_clone_to_owned()?;
        let nonce = format!("{:032x}", fastrand::u128(..));
        ours.write_all(nonce.as_bytes())?;
        let counts = counts.map(|counts| counts.as_fd().try_clone_to_owned()).transpose()?;
        let handed = [Some(listener.as_fd()), Some(theirs.as_fd()), counts.as_ref().map(AsFd::as_fd)];
        let numbers = handed.map(|one| one.map(|one| one.as_raw_fd().to_string()).unwrap_or_default()).join(":");
        let assignment = format!("{nonce}:{}:{numbers}:{place}:{}", std::process::id(), self.run);
        let (executable, arguments) = self.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(executable);
        command.args(arguments).current_dir(&self.folder).env(ASSIGNMENT, assignment);
        for descriptor in handed.into_iter().flatten() {
            fcntl_setfd(descriptor, FdFlags::empty())?;
        }
        let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
        for stream in [input.as_fd(), output.as_fd(), errors.as_fd()] {
            // A host may have closed them to what it starts (libuv does), and a worker would log into nothing. Where one is
            // not open there is nothing to hand on.
            let _ = fcntl_setfd(stream, FdFlags::empty());
        }
        Ok((command.spawn()?, ours))
    }
}

/// What the supervisor says on the line, and the worker.
pub(super) mod word {
    pub(crate) const LEAVE: u8 = b'l';
    pub(crate) const DRAIN: u8 = b'd';
    pub(crate) const ABORT: u8 = b'a';
    pub(crate) const READY: u8 = b'r';
    pub(crate) const RETIRE: u8 = b'o';
}
