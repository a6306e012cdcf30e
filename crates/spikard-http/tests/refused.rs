//! Requests that are refused before any code of the app runs: each with a problem document and a closed connection.
#![cfg(feature = "server")]

mod wire;

use spikard_core::config::Config;
use tokio::io::AsyncWriteExt;
use wire::{App, assert_problem, read_all, statuses};

async fn refuse(request: &str) -> String {
    let app = App::new(Config::default());
    let answer = app.exchange(request).await;
    assert_eq!(app.calls(), 0, "it reached the app: {request:?}");
    answer
}

async fn each_is(status: u16, requests: &[&str]) {
    for request in requests {
        let answer = refuse(request).await;
        println!("{request:?} → {answer:?}");
        assert_problem(&answer, status);
    }
}

#[tokio::test]
async fn one_host_is_required() {
    each_is(
        400,
        &[
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_host_is_a_name_or_an_address_and_a_port() {
    for host in
        ["", "a b", "a/b", "user@a", "a:b", "a:65536", "a:-1", "[::1", "[a]", "[::1]x", "::1", "a\u{e9}", "a:1:2"]
    {
        assert_problem(&refuse(&format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).await, 400);
    }
    for host in ["a", "a.example", "a:80", "a:", "127.0.0.1:8000", "[::1]", "[::1]:80", "a_b"] {
        let app = App::new(Config::default());
        let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(statuses(&app.exchange(request).await), [200], "{host}");
    }
}

#[tokio::test]
async fn http_1_0_needs_no_host() {
    let app = App::new(Config::default());
    assert!(app.exchange("GET / HTTP/1.0\r\n\r\n").await.ends_with("\r\n\r\nhello"));
}

#[tokio::test]
async fn a_body_is_framed_in_one_way() {
    each_is(
        400,
        &[
            "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: chunked\r\nTRANSFER-ENCODING: chunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\nx",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\nx",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 0x1\r\n\r\nx",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551616\r\n\r\n",
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551615\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_transfer_coding_is_501() {
    each_is(501, &["POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"]).await;
}

#[tokio::test]
async fn lines_end_with_crlf_and_hold_no_control_characters() {
    each_is(
        400,
        &[
            "GET / HTTP/1.1\nhost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\n\n",
            "GET / HTTP/1.1\nhost: a\n\n",
            "GET / HTTP/1.1\r\nhost: a\rx: y\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx: a\r\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx: a\x0bb\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx: a\x7fb\r\n\r\n",
            "GET /a\x01b HTTP/1.1\r\nhost: a\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_field_stands_on_one_line_and_begins_with_its_name() {
    each_is(
        400,
        &[
            "GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n\tb\r\n\r\n",
            "GET / HTTP/1.1\r\n host: a\r\n\r\n",
            "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx\t: b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\ncontent-length : 5\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx(y): b\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_request_line_has_three_parts() {
    each_is(
        400,
        &[
            "GET /\r\nhost: a\r\n\r\n",
            "GET\r\n\r\n",
            "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /  HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nhost: a\r\n\r\n",
            " GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "G(T / HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET / http/1.1\r\nhost: a\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn only_http_1_0_and_1_1_are_spoken() {
    each_is(
        400,
        &[
            "GET / HTTP/1.2\r\nhost: a\r\n\r\n",
            "GET / HTTP/2.0\r\nhost: a\r\n\r\n",
            "GET / HTTP/0.9\r\nhost: a\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_target_has_the_form_of_its_method() {
    each_is(
        400,
        &[
            "GET * HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET a.example:80 HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET index.html HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET http://user@a/ HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET http:///x HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nhost: a\r\n\r\n",
        ],
    )
    .await;
    each_is(501, &["CONNECT a.example:80 HTTP/1.1\r\nhost: a.example:80\r\n\r\n"]).await;
}

#[tokio::test]
async fn the_authority_of_an_absolute_target_replaces_the_host() {
    for (target, answer) in [("http://b:81/host?x=%20", "b:81 /host?x=%20"), ("HTTPS://B/host", "B /host")] {
        let app = App::new(Config::default());
        let text = app.exchange(format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).await;
        assert!(text.ends_with(&format!("\r\n\r\n{answer}")), "{text}");
    }
    for target in ["http://b", "http://b?x"] {
        let app = App::new(Config::default());
        let text = app.exchange(format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).await;
        assert!(text.ends_with("hello"), "{text}");
    }
}

#[tokio::test]
async fn a_target_over_16_kib_is_414() {
    let request =
        |length: usize| format!("GET /{} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "a".repeat(length - 1));
    assert_problem(&refuse(&request(16 * 1024 + 1)).await, 414);
    assert_problem(&refuse(&format!("GET /{}", "a".repeat(20 * 1024))).await, 414);
    let app = App::new(Config::default());
    assert_eq!(statuses(&app.exchange(request(16 * 1024)).await), [200]);
}

#[tokio::test]
async fn a_head_over_64_kib_or_100_fields_is_431() {
    let fields = |count| format!("GET / HTTP/1.1\r\nhost: a\r\n{}connection: close\r\n\r\n", "x: y\r\n".repeat(count));
    assert_problem(&refuse(&fields(99)).await, 431);
    assert_problem(&refuse(&format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024))).await, 431);
    assert_problem(&refuse(&format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "a".repeat(70 * 1024))).await, 431);
    let app = App::new(Config::default());
    assert_eq!(statuses(&app.exchange(fields(98)).await), [200]);
    let large = format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {}\r\n\r\n", "a".repeat(60 * 1024));
    assert_eq!(statuses(&app.exchange(large).await), [200]);
}

#[tokio::test]
async fn an_expectation_other_than_100_continue_is_417() {
    each_is(
        417,
        &[
            "POST /echo HTTP/1.1\r\nhost: a\r\nexpect: tea\r\ncontent-length: 1\r\n\r\nx",
            "GET / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue, tea\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_refusal_comes_after_the_answers_before_it_and_ends_the_connection() {
    let app = App::new(Config::default());
    let good = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let text = app.exchange(format!("{good}{good}GET / HTTP/1.1\r\n\r\n{good}")).await;
    assert_eq!(statuses(&text), [200, 200, 400], "{text}");
    for bad in ["G(T / HTTP/1.1\r\nhost: a\r\n\r\n", "GET / HTTP/1.1\nhost: a\r\n\r\n"] {
        let body = format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc{bad}");
        assert_eq!(statuses(&app.exchange(body).await), [200, 400], "{bad:?}");
    }
}

#[tokio::test]
async fn a_head_that_breaks_off_is_refused_and_none_at_all_is_not() {
    for (sent, answers) in [("", vec![]), ("\r\n", vec![]), ("GET / HTTP/1.1\r\nho", vec![400])] {
        let app = App::new(Config::default());
        let mut client = app.connect();
        client.write_all(sent.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(statuses(&read_all(&mut client).await), answers, "{sent:?}");
        assert_eq!(app.calls(), 0);
    }
}

#[tokio::test]
async fn a_malformed_body_never_reaches_a_handler_as_a_complete_one() {
    for body in [
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhellox\r\n0\r\n\r\n",
        "x\r\n",
        "-5\r\nhello",
        "5\r\nhello\r\n0\r\ncontent-length: 3\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: \x01\r\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
    ] {
        let app = App::new(Config::default());
        let head = "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_problem(&app.exchange(format!("{head}{body}")).await, 400);
        assert_eq!(app.bodies(), 0, "{body:?}");
    }
}

#[tokio::test]
async fn a_truncated_body_never_reaches_a_handler_as_a_complete_one() {
    for request in [
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhell",
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n",
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let app = App::new(Config::default());
        let mut client = app.connect();
        client.write_all(request.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let answer = read_all(&mut client).await;
        assert_problem(&answer, 400);
        assert_eq!(app.bodies(), 0, "{request:?}");
    }
}

#[tokio::test]
async fn a_refusal_has_a_request_id_unless_they_are_off() {
    // covers config: enable_request_id
    let by_hyper = "G(T / HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n";
    let above_hyper = "GET * HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n";
    for (enable_request_id, ids) in [(true, 1), (false, 0)] {
        for request in ["GET / HTTP/1.1\n\n", by_hyper, above_hyper] {
            let app = App::new(Config { enable_request_id, ..Config::default() });
            let text = app.exchange(request).await;
            assert_eq!(text.matches("\r\nx-request-id: ").count(), ids, "{text}");
            let own = text.contains("\r\nx-request-id: mine\r\n");
            assert_eq!(own, enable_request_id && request == above_hyper, "{text}");
        }
    }
}

#[tokio::test]
async fn a_fragment_is_no_part_of_a_target() {
    each_is(
        400,
        &[
            "GET /#x HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /a?b#c HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET # HTTP/1.1\r\nhost: a\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_body_has_one_content_type() {
    let post = |types: &str| format!("POST /echo HTTP/1.1\r\nhost: a\r\n{types}content-length: 1\r\n\r\nx");
    let (json, text) = ("content-type: application/json\r\n", "Content-Type: text/plain\r\n");
    each_is(400, &[&post(&[json, text].concat()), &post(&[json, json].concat())]).await;
}

#[tokio::test]
async fn options_of_an_asterisk_asks_for_the_server() {
    let app = App::new(Config::default());
    let asked = "OPTIONS * HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n";
    let text = app.exchange([asked, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"].concat()).await;
    assert_eq!(statuses(&text), [204, 200], "{text}");
    assert!(text.contains("\r\nx-request-id: mine\r\n") && app.calls() == 1, "{text}");
}
