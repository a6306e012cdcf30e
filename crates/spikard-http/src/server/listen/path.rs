//! A unix socket at a path: a file of a server that is gone is replaced, that of a living one is not, and ours is taken
//! away at the end.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Bound, Kind, Way};

/// A path that was made by [`bind`], by its device and number: somebody else may have replaced it meanwhile.
#[derive(Debug)]
pub(crate) struct Made {
    path: PathBuf,
    file: (u64, u64),
}

impl Drop for Made {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens at `path`. Who may connect is for the folder and the process's umask to say.
pub(super) fn bind(path: &Path, backlog: u32) -> io::Result<Bound> {
    clear(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    // The working folder may be another one at the end.
    let path = fs::canonicalize(path)?;
    let made = Made { file: identity(&path)?, path };
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    let listener = UnixListener::from(std::os::fd::OwnedFd::from(socket));
    Ok(Bound { socket: Kind::Unix(listener), made: Some(made), way: Way::Alone, balance: None })
}

/// Takes away what a server that is gone has left.
fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the path is there and is no socket"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}
