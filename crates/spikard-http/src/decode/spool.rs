//! The content of one file: in memory while it is short, from there on where the platform keeps it.

use std::{io, mem, sync::Arc};

use bytes::{Bytes, BytesMut};
use spikard_core::{Content, Error, ErrorCode};
use tokio::sync::oneshot;

use crate::platform::{Platform, Spool};

/// What is gathered before it is written.
const PIECE: usize = 256 * 1024;

pub(crate) struct Spooler {
    platform: Arc<dyn Platform>,
    directory: Option<Arc<str>>,
    /// How much of it may stay in memory.
    memory: usize,
    gathered: BytesMut,
    spool: Option<Box<dyn Spool>>,
    size: u64,
}

impl Spooler {
    pub(crate) fn new(platform: Arc<dyn Platform>, memory: usize, directory: Option<Arc<str>>) -> Self {
        Self { platform, directory, memory, gathered: BytesMut::new(), spool: None, size: 0 }
    }

    pub(crate) async fn append(&mut self, data: Bytes) -> Result<(), Error> {
        self.size += data.len() as u64;
        self.gathered.extend_from_slice(&data);
        let most = if self.spool.is_some() { PIECE } else { self.memory };
        if self.gathered.len() > most { self.write().await } else { Ok(()) }
    }

    /// Size, content, and how much of it is in memory.
    pub(crate) async fn finish(mut self) -> Result<(u64, Content, usize), Error> {
        if self.spool.is_none() {
            let kept = self.gathered.len();
            // What was reserved beyond it would stay with it.
            let content = Bytes::copy_from_slice(&self.gathered);
            return Ok((self.size, Content::Memory(content), kept));
        }
        if !self.gathered.is_empty() {
            self.write().await?;
        }
        let spool = self.spool.take().expect("just seen");
        let content = beside(&self.platform, move || spool.finish()).await?;
        Ok((self.size, Content::Spooled(content), 0))
    }

    async fn write(&mut self) -> Result<(), Error> {
        let piece = mem::take(&mut self.gathered);
        let (spool, platform, directory) = (self.spool.take(), self.platform.clone(), self.directory.clone());
        let write = move || -> io::Result<Box<dyn Spool>> {
            let mut spool = match spool {
                Some(spool) => spool,
                None => platform.spool(directory.as_deref())?,
            };
            spool.write(&piece)?;
            Ok(spool)
        };
        self.spool = Some(beside(&self.platform, write).await?);
        Ok(())
    }
}

/// Work that may block. Whoever leaves meanwhile leaves nothing behind: the file goes with the work.
fn beside<T, W>(platform: &Arc<dyn Platform>, work: W) -> impl Future<Output = Result<T, Error>> + use<T, W>
where
    T: Send + 'static,
    W: FnOnce() -> io::Result<T> + Send + 'static,
{
    let (told, done) = oneshot::channel();
    platform.offload(Box::new(move || drop(told.send(work()))));
    async move {
        match done.await {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Err(Error::new(ErrorCode::ContentTooLarge).with_detail("a file is larger than there is memory for"))
            }
            Ok(Err(error)) => Err(Error::internal(format!("an upload could not be kept: {error}"))),
            Err(_) => Err(Error::internal("an upload could not be kept: the platform stopped")),
        }
    }
}
