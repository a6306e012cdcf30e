//! Files of the server's platform. What the system has at hand is opened and read at once; for the rest there are tokio's
//! threads for what blocks, on which a small file takes one turn.

use std::{
    fs,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::{File, Opening, Reading};

/// A file up to this size is read together with its opening, where that has to be waited for.
const SMALL: u64 = 128 * 1024;

/// What a file may hold that does not tell its length.
const UNTOLD: u64 = 1024 * 1024;

/// Opens a file for reading.
pub(super) fn open(handle: &Handle, path: PathBuf) -> Opening {
    let (opened, handle) = (handle.spawn_blocking(move || open_here(&path)), handle.clone());
    Box::pin(async move {
        let mut opened = opened.await.map_err(io::Error::other)??;
        opened.handle = Some(handle);
        let opened: Box<dyn File> = Box::new(opened);
        Ok(opened)
    })
}

/// Opens a file whose path and head the system has in memory. None: it has not, or the file needs a closer look.
#[cfg(target_os = "linux")]
pub(super) fn open_now(handle: &Handle, path: &Path) -> Option<Box<dyn File>> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

    // What is no regular file does not block, and is told apart below.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
    let mut disk = Disk::of(file.into()).ok().filter(|disk| disk.length > 0)?;
    disk.handle = Some(handle.clone());
    Some(Box::new(disk))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open_now(_: &Handle, _: &Path) -> Option<Box<dyn File>> {
    None
}

fn open_here(path: &Path) -> io::Result<Disk> {
    let before = fs::metadata(path)?; // opening what is no file may block for ever
    if !before.is_file() {
        return Err(no_file());
    }
    let mut disk = Disk::of(fs::File::open(path)?)?;
    disk.content = match disk.length {
        0 => Some(read_untold(&disk.file)?),
        1..=SMALL => Some(read_here(&disk.file, 0, disk.length as usize)?),
        _ => None,
    };
    if let (0, Some(content)) = (disk.length, &disk.content) {
        disk.length = content.len() as u64;
    }
    Ok(disk)
}

/// Files that the system makes up while they are read, as those in `/proc`, say that they are empty.
fn read_untold(mut file: &fs::File) -> io::Result<Bytes> {
    let mut content = Vec::new();
    file.by_ref().take(UNTOLD + 1).read_to_end(&mut content)?;
    if content.len() as u64 > UNTOLD {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it does not tell its length, and is longer than 1 MiB"));
    }
    Ok(content.into())
}

fn no_file() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")
}

struct Disk {
    file: Arc<fs::File>,
    length: u64,
    modified: Option<Duration>,
    /// All of it, where it was read with the opening.
    content: Option<Bytes>,
    /// Whose threads read the rest.
    handle: Option<Handle>,
}

impl Disk {
    fn of(file: fs::File) -> io::Result<Self> {
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(no_file());
        }
        let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self { file: Arc::new(file), length: found.len(), modified, content: None, handle: None })
    }
}

impl File for Disk {
    fn length(&self) -> u64 {
        self.length
    }

    fn modified(&self) -> Option<Duration> {
        self.modified
    }

    fn read_now(&self, at: u64, length: usize) -> Option<Bytes> {
        if let Some(content) = &self.content {
            let from = usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
            return Some(content.slice(from..content.len().min(from.saturating_add(length))));
        }
        read_cached(&self.file, at, length)
    }

    fn read(&self, at: u64, length: usize) -> Reading {
        let Some(handle) = &self.handle else { return Box::pin(std::future::ready(Err(no_file()))) };
        let file = self.file.clone();
        let read = handle.spawn_blocking(move || read_here(&file, at, length));
        Box::pin(async move { read.await.map_err(io::Error::other)? })
    }
}

/// What of it lies in the system's memory.
#[cfg(target_os = "linux")]
fn read_cached(file: &fs::File, at: u64, length: usize) -> Option<Bytes> {
    use rustix::io::{ReadWriteFlags, preadv2};

    let mut buffer = vec![0; length];
    let read = preadv2(file, &mut [io::IoSliceMut::new(&mut buffer)], at, ReadWriteFlags::NOWAIT).ok()?;
    buffer.truncate(read);
    // None at all: whether that is the end is for the one to say who may wait.
    Some(Bytes::from(buffer)).filter(|read| !read.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_: &fs::File, _: u64, _: usize) -> Option<Bytes> {
    None
}

fn read_here(file: &fs::File, at: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; length];
    let read = read_at(file, &mut buffer, at)?;
    buffer.truncate(read);
    Ok(Bytes::from(buffer))
}

#[cfg(unix)]
fn read_at(file: &fs::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &fs::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
