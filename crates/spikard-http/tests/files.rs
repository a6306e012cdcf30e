//! Files as responses: conditions, ranges, and what becomes of the work behind them.

#![allow(clippy::unwrap_used, reason = "what supports a test fails loudly")]

mod pretend;

use std::{path::Path, sync::LazyLock};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use pretend::{App, Kind, only};
use serde_json::{Value, json};

static APP: LazyLock<Value> = LazyLock::new(|| {
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("digits.txt"), "0123456789").unwrap();
    let route = |path: &str, handler: u32, more: Value| json!({"method": "GET", "path": path, "handler": handler, "arguments": more});
    json!({"dependencies": [{"name": "db", "provider": 30, "generator": true}], "routes": [
        route("/file", 11, json!([])),
        route("/missing", 12, json!([])),
        route("/with-tail", 13, json!([{"provide": "db"}])),
    ]})
});

const OLD: &str = "Mon, 01 Jan 1990 00:00:00 GMT";

async fn ask(app: &App, method: &str, path: &str, fields: &[(&str, &str)]) -> (u16, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let answer = app.service.call(request.body(Full::<Bytes>::default()).unwrap()).await;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn a_file_is_sent_with_its_validators_and_its_name() {
    only(Kind::Loop, &APP, async |app| {
        let (status, head, body) = ask(app, "GET", "/file", &[]).await;
        assert_eq!((status, body.as_str()), (200, "0123456789"));
        let said = |name: &str| head[name].to_str().unwrap();
        assert_eq!([said("content-type"), said("accept-ranges")], ["text/plain", "bytes"]);
        assert_eq!(said("content-disposition"), "attachment; filename=\"d.txt\"");
        assert!(said("etag").starts_with('"') && said("last-modified").ends_with(" GMT"));
        let (status, head, body) = ask(app, "HEAD", "/file", &[("range", "bytes=0-1")]).await;
        assert_eq!((status, head["content-length"].to_str().unwrap(), body.as_str()), (200, "10", ""));
    });
}

#[test]
fn one_range_is_a_part_and_several_are_a_multipart() {
    only(Kind::Loop, &APP, async |app| {
        let (status, head, body) = ask(app, "GET", "/file", &[("range", "bytes=2-4")]).await;
        assert_eq!((status, head["content-range"].to_str().unwrap(), body.as_str()), (206, "bytes 2-4/10", "234"));
        let (status, head, body) = ask(app, "GET", "/file", &[("range", "bytes=0-1,-2")]).await;
        let kind = head["content-type"].to_str().unwrap();
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
        let part = |place: &str, text: &str| {
            format!("\r\n--{boundary}\r\ncontent-type: text/plain\r\ncontent-range: bytes {place}/10\r\n\r\n{text}")
        };
        assert_eq!((status, body), (206, part("0-1", "01") + &part("8-9", "89") + &format!("\r\n--{boundary}--\r\n")));
        let (status, head, body) = ask(app, "GET", "/file", &[("range", "bytes=10-")]).await;
        assert_eq!((status, head["content-range"].to_str().unwrap()), (416, "bytes */10"));
        assert!(body.contains("Range Not Satisfiable"), "{body}");
    });
}

#[test]
fn conditions_are_answered_in_their_order() {
    only(Kind::Loop, &APP, async |app| {
        let (_, head, _) = ask(app, "GET", "/file", &[]).await;
        let tag = head["etag"].to_str().unwrap();
        let date = head["last-modified"].to_str().unwrap();
        for (fields, status, body) in [
            (vec![("if-none-match", tag)], 304, ""),
            (vec![("if-none-match", "\"other\""), ("if-modified-since", date)], 200, "0123456789"),
            (vec![("if-modified-since", date)], 304, ""),
            (vec![("if-modified-since", OLD)], 200, "0123456789"),
            (vec![("if-match", tag)], 200, "0123456789"),
            (vec![("range", "bytes=0-0"), ("if-range", tag)], 206, "0"),
            (vec![("range", "bytes=0-0"), ("if-range", date)], 206, "0"),
            (vec![("range", "bytes=0-0"), ("if-range", "\"other\"")], 200, "0123456789"),
            (vec![("range", "bytes=0-0"), ("if-range", OLD)], 200, "0123456789"),
            (vec![("range", "bytes=0-0"), ("if-none-match", tag)], 304, ""),
        ] {
            let (found, head, text) = ask(app, "GET", "/file", &fields).await;
            assert_eq!((found, text.as_str()), (status, body), "{fields:?}");
            assert_eq!(head["etag"].to_str().unwrap(), tag);
        }
        for fields in [[("if-match", "\"other\"")], [("if-unmodified-since", OLD)]] {
            assert_eq!(ask(app, "GET", "/file", &fields).await.0, 412, "{fields:?}");
        }
    });
}

#[test]
fn a_file_that_is_not_there_is_a_500_and_is_reported() {
    only(Kind::Loop, &APP, async |app| {
        let (status, _, body) = ask(app, "GET", "/missing", &[]).await;
        assert_eq!((status, body.contains("no-such-file")), (500, false));
        let trace = app.traced().await;
        assert!(trace[1].contains("no-such-file.txt") && trace[1].contains("GET /missing"), "{trace:?}");
    });
}

#[test]
fn the_work_behind_a_file_learns_what_became_of_it() {
    only(Kind::Loop, &APP, async |app| {
        for fields in [vec![], vec![("range", "bytes=1-2")], vec![("range", "bytes=90-")], vec![("if-match", "\"x\"")]]
        {
            ask(app, "GET", "/with-tail", &fields).await;
            let trace = app.traced().await;
            assert_eq!(trace, ["open db", "handle", "finish db Sent(Complete)", "begin one", "ran one"], "{fields:?}");
        }
        drop(app.head("/with-tail").await);
        assert!(app.traced().await.contains(&"finish db Sent(Gone)".to_owned()));
    });
}
