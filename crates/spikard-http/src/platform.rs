//! Time, tasks and chance of the I/O side. The server's are tokio's; a one-thread transport and wasm bring their own.

#[cfg(feature = "server")]
mod disk;
#[cfg(feature = "server")]
mod lines;

use std::{
    any::Any,
    future::{Future, ready},
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;

/// Something that runs on the I/O side.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A file that is being opened.
pub type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn File>>> + Send>>;

/// A piece of a file that is being read.
pub type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// An open regular file, as it was when it was opened.
pub trait File: Send + Sync {
    /// Bytes.
    fn length(&self) -> u64;

    /// Since 1970, where it is known.
    fn modified(&self) -> Option<Duration>;

    /// What `read` would give, where nobody has to wait for it: at least one byte.
    fn read_now(&self, _at: u64, _length: usize) -> Option<Bytes> {
        None
    }

    /// At most `length` bytes from this place on; none behind the end.
    fn read(&self, at: u64, length: usize) -> Reading;
}

/// What the I/O side stands on. Everything may be called from anywhere on that side, a `Drop` too.
pub trait Platform: Send + Sync + 'static {
    /// Time since some moment in the past; never goes back.
    fn now(&self) -> Duration;

    /// Time since 1970.
    fn unix_time(&self) -> Duration;

    /// Ends after this time.
    fn sleep(&self, time: Duration) -> Task;

    /// Runs a task beside the others.
    fn spawn(&self, task: Task);

    /// Random bits: good enough to tell requests apart, no good as a secret.
    fn random(&self) -> u128;

    /// Opens a regular file for reading, where nobody has to wait for it. Of what it has not, [`open`](Self::open) says
    /// why. From any thread.
    fn open_now(&self, _path: &Path) -> Option<Box<dyn File>> {
        None
    }

    /// Opens a regular file for reading, without blocking. A platform without files has none.
    fn open(&self, _path: PathBuf) -> Opening {
        Box::pin(ready(Err(io::ErrorKind::Unsupported.into())))
    }

    /// Runs work that may block, beside the I/O side. A platform without threads runs it at once.
    fn offload(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }

    /// A place for the content of an upload; it may block. A platform without one takes no long files.
    fn spool(&self, _directory: Option<&str>) -> io::Result<Box<dyn Spool>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Writes a line of the access log, and waits for nobody. A platform without an output has none.
    fn log(&self, _line: String) {}

    /// Waits for what was logged to be out, for a moment at most.
    fn flush_log(&self) {}
}

/// Where the content of an upload goes. Dropped, nothing of it is left.
pub trait Spool: Send {
    /// Appends a piece; it may block.
    fn write(&mut self, piece: &[u8]) -> io::Result<()>;

    /// What crosses to the binding, which knows its platform. When nobody holds it any more, nothing of it is left.
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn Any + Send + Sync>>;
}

/// The server's platform.
#[cfg(feature = "server")]
pub struct Tokio {
    handle: tokio::runtime::Handle,
    began: std::time::Instant,
    lines: std::sync::OnceLock<lines::Lines>,
}

/// Threads that may wait for the disk at a time: each has a stack and memory of its own, and a disk is asked by few.
#[cfg(feature = "server")]
const DISK_THREADS: usize = 16;

#[cfg(feature = "server")]
impl Tokio {
    /// A runtime of one thread, and of a bounded number for what blocks.
    ///
    /// # Errors
    /// What the system has no room for.
    pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(DISK_THREADS).build()
    }

    /// The platform of this tokio runtime, whose time driver must be on.
    pub fn new(handle: tokio::runtime::Handle) -> Self {
        Self { handle, began: std::time::Instant::now(), lines: std::sync::OnceLock::new() }
    }

    /// The number of an open file that reads what an upload has spooled on this platform. Whoever asks for it owns it.
    pub fn descriptor(spooled: &(dyn Any + Send + Sync)) -> io::Result<i64> {
        let no_file = || io::Error::new(io::ErrorKind::InvalidInput, "an upload that is no file");
        let file = spooled.downcast_ref::<std::fs::File>().ok_or_else(no_file)?.try_clone()?;
        #[cfg(unix)]
        return Ok(std::os::fd::IntoRawFd::into_raw_fd(file).into());
        #[cfg(windows)]
        return Ok(std::os::windows::io::IntoRawHandle::into_raw_handle(file) as i64);
    }
}

#[cfg(feature = "server")]
impl Platform for Tokio {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn unix_time(&self) -> Duration {
        std::time::UNIX_EPOCH.elapsed().unwrap_or_default()
    }

    fn sleep(&self, time: Duration) -> Task {
        let _entered = self.handle.enter();
        Box::pin(tokio::time::sleep(time))
    }

    fn spawn(&self, task: Task) {
        self.handle.spawn(task);
    }

    fn random(&self) -> u128 {
        fastrand::u128(..)
    }

    fn open_now(&self, path: &Path) -> Option<Box<dyn File>> {
        disk::open_now(&self.handle, path)
    }

    fn open(&self, path: PathBuf) -> Opening {
        disk::open(&self.handle, path)
    }

    fn offload(&self, work: Box<dyn FnOnce() + Send>) {
        self.handle.spawn_blocking(work);
    }

    /// A file without a name: it is gone when its last handle is, however the process ends.
    fn spool(&self, directory: Option<&str>) -> io::Result<Box<dyn Spool>> {
        let file = match directory {
            Some(directory) => tempfile::tempfile_in(directory),
            None => tempfile::tempfile(),
        };
        Ok(Box::new(file?))
    }

    fn log(&self, line: String) {
        self.lines.get_or_init(lines::Lines::new).write(line);
    }

    fn flush_log(&self) {
        if let Some(lines) = self.lines.get() {
            lines.flush();
        }
    }
}

/// It crosses as a `std::fs::File`, read from its beginning.
#[cfg(feature = "server")]
impl Spool for std::fs::File {
    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        io::Write::write_all(self, piece)
    }

    fn finish(mut self: Box<Self>) -> io::Result<Arc<dyn Any + Send + Sync>> {
        io::Seek::rewind(&mut *self)?;
        Ok(Arc::new(*self))
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use std::{
        collections::HashSet,
        sync::{Arc, Mutex, mpsc},
        thread,
        time::Duration,
    };

    use super::{DISK_THREADS, Platform, Tokio};

    #[test]
    fn however_much_waits_for_the_disk_the_threads_are_few() {
        let runtime = Tokio::runtime().expect("a runtime");
        let platform = Tokio::new(runtime.handle().clone());
        let (seen, (done, all_done)) = (Arc::new(Mutex::new(HashSet::new())), mpsc::channel());
        for _ in 0..DISK_THREADS * 8 {
            let (seen, done) = (seen.clone(), done.clone());
            platform.offload(Box::new(move || {
                thread::sleep(Duration::from_millis(1));
                seen.lock().expect("no panic").insert(thread::current().id());
                done.send(()).expect("somebody counts");
            }));
        }
        drop(done);
        assert_eq!(all_done.iter().count(), DISK_THREADS * 8);
        let threads = seen.lock().expect("no panic").len();
        assert!((1..=DISK_THREADS).contains(&threads), "{threads} threads");
    }
}
