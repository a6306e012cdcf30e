//! Connections on the loop's own thread, where the loop watches sockets.

#[cfg(unix)]
pub(crate) use unix::{Home, start};
#[cfg(not(unix))]
pub(crate) use windows::{Home, start};

#[cfg(unix)]
mod unix {
    use std::{io, sync::Arc};

    use spikard_http::{
        Service,
        server::{IoThread, Reactor},
    };
    use tokio::runtime::Runtime;

    use crate::runtime::Inbox;

    /// The reactor of one worker.
    pub(crate) struct Home(Reactor);

    /// The I/O thread beside it, or alone.
    pub(crate) fn start(runtime: Runtime, service: &Service, home: Option<&Home>) -> io::Result<IoThread> {
        match home {
            Some(Home(reactor)) => IoThread::start_on(runtime, service, reactor.remote().clone()),
            None => IoThread::start(runtime, service),
        }
    }

    impl Home {
        pub(crate) fn open(inbox: &Arc<Inbox>) -> io::Result<Self> {
            let inbox = Arc::clone(inbox);
            Reactor::new(move || inbox.ring()).map(Self)
        }

        pub(crate) fn descriptor(&self) -> i32 {
            self.0.descriptor()
        }

        pub(crate) fn look(&mut self) -> io::Result<()> {
            self.0.look()
        }

        /// Polls what is ready, at most so many times. True: there is more.
        pub(crate) fn turn(&mut self, most: usize) -> bool {
            self.0.turn(most)
        }
    }
}

/// Loops that watch sockets of others do not exist there: nothing of this can be made.
#[cfg(not(unix))]
mod windows {
    use std::{convert::Infallible, io, sync::Arc};

    use spikard_http::{Service, server::IoThread};
    use tokio::runtime::Runtime;

    use crate::runtime::Inbox;

    pub(crate) struct Home(Infallible);

    pub(crate) fn start(runtime: Runtime, service: &Service, _: Option<&Home>) -> io::Result<IoThread> {
        IoThread::start(runtime, service)
    }

    impl Home {
        pub(crate) fn open(_: &Arc<Inbox>) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn descriptor(&self) -> i32 {
            match self.0 {}
        }

        pub(crate) fn look(&mut self) -> io::Result<()> {
            match self.0 {}
        }

        pub(crate) fn turn(&mut self, _: usize) -> bool {
            match self.0 {}
        }
    }
}
