//! The lines of the access log go to standard output, on a thread of their own: whoever reads them late holds up no
//! request. More than wait already are left out, and counted.

use std::{
    io::{self, Write},
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

/// Lines that wait, at most.
const WAITING: usize = 8192;

/// How long the end of a server waits for the reader.
const PATIENCE: Duration = Duration::from_secs(1);

/// Made with the first line.
pub(super) struct Lines {
    sender: SyncSender<Told>,
    left_out: AtomicU64,
}

enum Told {
    Line(String),
    /// Everything before this is written.
    Written(SyncSender<()>),
}

impl Lines {
    pub(super) fn new() -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        let write = move || write_all(&receiver, io::stdout());
        // Without a thread nobody takes them, and all are left out.
        let _ = std::thread::Builder::new().name("spikard-access".into()).spawn(write);
        Self { sender, left_out: AtomicU64::new(0) }
    }

    pub(super) fn write(&self, mut line: String) {
        line.push('\n');
        let before = self.left_out.swap(0, Relaxed);
        if before > 0 {
            line = format!("{before} lines of the access log are left out: nobody read them in time\n{line}");
        }
        if self.sender.try_send(Told::Line(line)).is_err() {
            self.left_out.fetch_add(before + 1, Relaxed);
        }
    }

    /// Waits until what was written is out, but not for ever.
    pub(super) fn flush(&self) {
        let (sender, written) = sync_channel(1);
        if self.sender.try_send(Told::Written(sender)).is_ok() {
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

/// Whole lines at a time, as many as there are.
fn write_all(receiver: &Receiver<Told>, mut out: impl Write) {
    const AT_ONCE: usize = 64 * 1024;
    let mut text = String::new();
    while let Ok(first) = receiver.recv() {
        let mut next = Some(first);
        let mut waiting = Vec::new();
        while let Some(told) = next {
            match told {
                Told::Line(line) => text.push_str(&line),
                Told::Written(sender) => waiting.push(sender),
            }
            next = if text.len() < AT_ONCE { receiver.try_recv().ok() } else { None };
        }
        // Nobody can be told that standard output is closed.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        text.clear();
        for sender in waiting {
            let _ = sender.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_takes_in_time_is_left_out_and_counted() {
        let (sender, receiver) = sync_channel(2);
        let lines = Lines { sender, left_out: AtomicU64::new(0) };
        ["a", "b", "c", "d"].into_iter().for_each(|line| lines.write(line.into()));
        let mut taken = Vec::new();
        while let Ok(Told::Line(line)) = receiver.try_recv() {
            taken.push(line);
        }
        lines.write("e".into());
        drop(lines);
        write_all(&receiver, &mut Rest(&mut taken));
        assert_eq!(taken, ["a\n", "b\n", "2 lines of the access log are left out: nobody read them in time\ne\n"]);
    }

    struct Rest<'a>(&'a mut Vec<String>);

    impl Write for Rest<'_> {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8_lossy(text).into_owned());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
