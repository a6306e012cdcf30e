//! Valid requests with bytes changed at random: how they are answered does not depend on how the bytes are split, every
//! refusal is a problem document, and every connection ends.
#![cfg(feature = "server")]

mod wire;

use spikard_core::config::Config;
use tokio::io::{AsyncWriteExt, split};
use wire::{App, read_all, statuses};

const SEEDS: [&str; 5] = [
    "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\nGET /host HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nPOST /ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "GET http://b:80/host HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
];
const BYTES: &[u8] = b"\r\n\t :;,=-+*/0159aFHTxZ\0\x7f\xff\"";
const ROUNDS: usize = 1500;

fn mutate(random: &mut fastrand::Rng, seed: &str) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..bytes.len());
        let byte = BYTES[random.usize(..BYTES.len())];
        match random.u8(..4) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, byte),
            2 => bytes[at] = byte,
            _ => {
                let end = (at + random.usize(1..20)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

/// The answers to these bytes, written in pieces of this size, and the number of calls that the app got.
async fn answers(bytes: &[u8], piece: usize) -> (String, usize) {
    let app = App::new(Config::default());
    let (mut reader, mut writer) = split(app.connect());
    let write = async {
        for piece in bytes.chunks(piece) {
            if writer.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let _ = writer.shutdown().await;
    };
    let (text, ()) = tokio::join!(read_all(&mut reader), write);
    (text, app.calls())
}

#[tokio::test]
async fn an_answer_does_not_depend_on_how_the_bytes_are_split() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut refused = 0;
    for round in 0..ROUNDS {
        let bytes = mutate(&mut random, SEEDS[round % SEEDS.len()]);
        let (whole, calls) = answers(&bytes, bytes.len()).await;
        let (pieces, calls_of_pieces) = answers(&bytes, random.usize(1..4)).await;
        let sent = String::from_utf8_lossy(&bytes);
        assert_eq!((statuses(&whole), calls), (statuses(&pieces), calls_of_pieces), "{sent:?}\n{whole}\n{pieces}");
        let documents = whole.matches("application/problem+json").count();
        let refusals = statuses(&whole).iter().filter(|status| **status >= 400).count();
        assert_eq!(documents, refusals, "{sent:?}\n{whole}");
        refused += refusals;
    }
    assert!(refused > ROUNDS / 4, "the mutations hit nothing: {refused} refused");
}
