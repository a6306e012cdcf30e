//! Files of the server's platform: opened and read on tokio's threads for what blocks.

use std::{
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::{File, Opening, Reading};

/// Opens a file for reading.
pub(super) fn open(handle: &Handle, path: PathBuf) -> Opening {
    let (opened, handle) = (handle.spawn_blocking(move || open_now(&path)), handle.clone());
    Box::pin(async move {
        let (file, length, modified) = opened.await.map_err(io::Error::other)??;
        let opened: Box<dyn File> = Box::new(Disk { file: Arc::new(file), length, modified, handle });
        Ok(opened)
    })
}

fn open_now(path: &PathBuf) -> io::Result<(fs::File, u64, Option<Duration>)> {
    let before = fs::metadata(path)?; // opening what is no file may block for ever
    if !before.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let file = fs::File::open(path)?;
    let found = file.metadata()?;
    let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok((file, found.len(), modified))
}

struct Disk {
    file: Arc<fs::File>,
    length: u64,
    modified: Option<Duration>,
    handle: Handle,
}

impl File for Disk {
    fn length(&self) -> u64 {
        self.length
    }

    fn modified(&self) -> Option<Duration> {
        self.modified
    }

    fn read(&self, at: u64, length: usize) -> Reading {
        let file = self.file.clone();
        let read = self.handle.spawn_blocking(move || {
            let mut buffer = vec![0; length];
            let read = read_at(&file, &mut buffer, at)?;
            buffer.truncate(read);
            Ok(Bytes::from(buffer))
        });
        Box::pin(async move { read.await.map_err(io::Error::other)? })
    }
}

#[cfg(unix)]
fn read_at(file: &fs::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &fs::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
