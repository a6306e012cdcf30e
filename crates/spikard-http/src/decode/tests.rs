//! Forms as they come in: in pieces, cut off, malformed, too large, kept outside memory.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body::Frame;
use serde_json::json;
use spikard_core::{Content, Entry, config::Config};

use super::{form::FormLimits, *};
use crate::{Platform, Spool, Task};

/// A body of these pieces. With `breaks` it breaks off behind them.
struct Pieces(VecDeque<Bytes>, bool);

impl Body for Pieces {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let breaks = self.1;
        Poll::Ready(match self.0.pop_front() {
            Some(piece) => Some(Ok(Frame::data(piece))),
            None => breaks.then(|| Err("the line is dead".into())),
        })
    }
}

/// Keeps what is spooled, to be looked at.
#[derive(Default)]
struct Kept(Mutex<Vec<Arc<Mutex<Vec<u8>>>>>);

struct Piece(Arc<Mutex<Vec<u8>>>);

impl Spool for Piece {
    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().extend_from_slice(piece);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Arc<dyn std::any::Any + Send + Sync>> {
        Ok(self.0)
    }
}

impl Platform for Kept {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn unix_time(&self) -> Duration {
        self.now()
    }
    fn sleep(&self, _: Duration) -> Task {
        unreachable!("a form makes no timer")
    }

    fn spawn(&self, _: Task) {
        unreachable!("a form makes no task")
    }

    fn random(&self) -> u128 {
        0
    }

    fn spool(&self, _: Option<&str>) -> io::Result<Box<dyn Spool>> {
        let piece = Arc::<Mutex<Vec<u8>>>::default();
        self.0.lock().unwrap().push(piece.clone());
        Ok(Box::new(Piece(piece)))
    }
}

fn config(given: &serde_json::Value) -> Config {
    Config::resolve(&serde_json::from_value(json!({"given": given})).unwrap()).unwrap()
}

type Read = Result<Vec<(String, String)>, (u16, String)>;

async fn read_with(body: Pieces, limit: Option<u64>, config: &Config, platform: Arc<dyn Platform>) -> Read {
    let read = form::read(body, "b", limit, &FormLimits::of(config), &platform).await;
    let entries = match read {
        Ok(spikard_core::Received::Form(entries)) => entries,
        Ok(other) => unreachable!("{other:?} is no form"),
        Err(error) => {
            return Err((error.status_code().as_u16(), error.detail.clone().unwrap_or_default().into_owned()));
        }
    };
    let shown = |entry| match entry {
        Entry::Text(text) => text,
        Entry::File(file) => match &file.content {
            Content::Memory(bytes) => format!("{:?}: {}", file.filename, String::from_utf8_lossy(bytes)),
            Content::Spooled(kept) => {
                let kept = kept.downcast_ref::<Mutex<Vec<u8>>>().unwrap().lock().unwrap();
                format!("{:?} kept: {}", file.filename, String::from_utf8_lossy(&kept))
            }
        },
    };
    Ok(entries.into_iter().map(|(name, entry)| (name, shown(entry))).collect())
}

async fn read(text: &[u8], size: usize) -> Read {
    let pieces = text.chunks(size.max(1)).map(Bytes::copy_from_slice).collect();
    read_with(Pieces(pieces, false), None, &config(&json!({})), Arc::new(Kept::default())).await
}

const FORM: &[u8] = b"--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nhello\r\n--\r\n-b\r\n\
    --b \t\r\ncontent-disposition: form-data; name=f; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n\
    \r\n--\r\n--b\r\nContent-Disposition: form-data; name=e\r\n\r\n\r\n--b--\r\nbehind";

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_form_is_the_same_in_pieces_of_any_size() {
    let expected = vec![pair("t", "hello\r\n--\r\n-b"), pair("f", "Some(\"a.txt\"): \r\n--"), pair("e", "")];
    for size in 1..=FORM.len() {
        assert_eq!(read(FORM, size).await, Ok(expected.clone()), "{size}");
    }
    let with_preamble = [b"ignored\r\n".as_slice(), FORM].concat();
    assert_eq!(read(&with_preamble, 7).await, Ok(expected));
}

#[tokio::test]
async fn a_form_cut_off_anywhere_is_400() {
    let end = FORM.len() - "\r\nbehind".len();
    // Nothing at all is no form.
    for cut in 1..end {
        let (status, detail) = read(&FORM[..cut], 5).await.unwrap_err();
        assert_eq!((status, detail.as_str()), (400, "the body is not a valid form: it ends early"), "{cut}");
        let pieces = VecDeque::from([Bytes::copy_from_slice(&FORM[..cut])]);
        let broken = read_with(Pieces(pieces, true), None, &config(&json!({})), Arc::new(Kept::default())).await;
        assert_eq!(broken.unwrap_err(), (400, "the body broke off".to_owned()), "{cut}");
    }
    assert!(read(&FORM[..end], 5).await.is_ok());
}

#[tokio::test]
async fn what_is_no_form_is_400() {
    let part = |fields: &str| format!("--b\r\n{fields}\r\n\r\nx\r\n--b--\r\n").into_bytes();
    let disposition = "Content-Disposition: form-data; name=a";
    for body in [
        b"hello".to_vec(),
        b"--b--x".to_vec()[..4].to_vec(),
        b"--bx\r\n\r\n\r\n--b--".to_vec(),
        b"--b\nContent-Disposition: form-data; name=a\n\nx\n--b--".to_vec(),
        b"--c\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--c--".to_vec(),
        part(""),
        part("Content-Type: text/plain"),
        part("Content-Disposition: attachment; name=a"),
        part("Content-Disposition: form-data"),
        part("Content-Disposition: form-data; name=\"a"),
        part("Content-Disposition form-data; name=a"),
        part(&format!("{disposition}\nX: y")),
        part(&format!("{disposition}\r\n folded: x")),
        part(&format!("{disposition}\r\nX : y")),
        part(&format!("{disposition}\r\nX: \0")),
        part(&format!("{disposition}\r\nX: {}", "y".repeat(9000))),
        part(&format!("{disposition}{}", "\r\nX: y".repeat(40))),
        part(&format!("{disposition}; filename={}", "y".repeat(300))),
        format!("--b\r\n{disposition}\r\n\r\nx\r\n--b{}", " ".repeat(9000)).into_bytes(),
        [format!("--b\r\n{disposition}\r\n\r\n").as_bytes(), b"\xff\r\n--b--"].concat(),
    ] {
        for size in [1, 64, body.len()] {
            let read = read(&body, size).await;
            assert_eq!(
                read.as_ref().map_err(|error| error.0),
                Err(400),
                "{:?}: {read:?}",
                String::from_utf8_lossy(&body)
            );
        }
    }
}

#[tokio::test]
async fn any_single_byte_may_be_changed() {
    for at in 0..FORM.len() {
        for byte in [0, b'\r', b'\n', b'-', b'"', b';', 0xff] {
            let mut body = FORM.to_vec();
            body[at] = byte;
            if let Err((status, detail)) = read(&body, 9).await {
                assert_eq!(status, 400, "{detail}");
            }
        }
    }
}

#[tokio::test]
async fn limits_count_what_has_been_read() {
    let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1234567890\r\n";
    let form = format!("{}--b--", part.repeat(4)).into_bytes();
    for (given, limit, status) in [
        (json!({}), None, 200),
        (json!({"max_form_parts": 4}), None, 200),
        (json!({"max_form_parts": 3}), None, 413),
        (json!({"max_form_text": 10}), None, 200),
        (json!({"max_form_text": 9}), None, 413),
        (json!({}), Some(form.len() as u64), 200),
        (json!({}), Some(form.len() as u64 - 1), 413),
    ] {
        let pieces = form.chunks(7).map(Bytes::copy_from_slice).collect();
        let read = read_with(Pieces(pieces, false), limit, &config(&given), Arc::new(Kept::default())).await;
        assert_eq!(read.map_or_else(|error| error.0, |_| 200), status, "{given} {limit:?}");
    }
}

#[tokio::test]
async fn files_share_the_memory_and_what_is_longer_is_kept_elsewhere() {
    let file =
        |content: &str| format!("--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n{content}\r\n");
    let long = "x".repeat(700_000);
    let form = format!("{}{}{}{}--b--", file("1234"), file(&long), file("1234567"), file("123456")).into_bytes();
    let kept = Arc::new(Kept::default());
    let pieces = form.chunks(1000).map(Bytes::copy_from_slice).collect();
    let read = read_with(Pieces(pieces, false), None, &config(&json!({"upload_memory": 10})), kept.clone()).await;
    let (name, kept_as) = ("f", |content: &str| format!("Some(\"f\") kept: {content}"));
    let expected = vec![
        pair(name, "Some(\"f\"): 1234"),
        pair(name, &kept_as(&long)),
        pair(name, &kept_as("1234567")),
        pair(name, "Some(\"f\"): 123456"),
    ];
    assert!(read == Ok(expected));
    let held = kept.0.lock().unwrap();
    assert!(held.iter().all(|piece| Arc::strong_count(piece) == 1), "nothing of the form is held any more");
}

#[tokio::test]
async fn nothing_of_a_form_that_breaks_off_is_kept() {
    let form = format!("--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n{}", "x".repeat(700_000));
    let kept = Arc::new(Kept::default());
    let pieces = VecDeque::from([Bytes::from(form)]);
    let read = read_with(Pieces(pieces, true), None, &config(&json!({"upload_memory": 10})), kept.clone()).await;
    assert_eq!(read.unwrap_err().0, 400);
    let held = kept.0.lock().unwrap();
    assert_eq!((held.len(), Arc::strong_count(&held[0])), (1, 1));
}
