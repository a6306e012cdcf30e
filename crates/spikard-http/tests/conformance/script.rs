//! The words of `script`: what a handler does.

use std::{thread, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use spikard_core::{Error, ErrorCode, Response};

use crate::{
    app::{RAISED, exception},
    json::Json,
    later::Later,
};

/// Does what the script says with the arguments received.
pub fn run(script: &Json, received: &Json, status: u16, later: &Later) -> Result<Response, Error> {
    let Json::Map(words) = script else { return Err(exception("a script is an object")) };
    let (word, about) = words.first().ok_or_else(|| exception("a script has one word"))?;
    match word.as_str() {
        "echo" => Ok(answer(status, received)),
        "respond" => Ok(respond(about, status)),
        "raise" => Err(raise(about)),
        "sleep" => {
            let seconds = about.get("seconds").and_then(Json::number).unwrap_or_default();
            thread::sleep(Duration::from_secs_f64(seconds));
            run(about.get("then").unwrap_or(&Json::Null), received, status, later)
        }
        "stream" => {
            let mut response = respond(about, status);
            if !response.headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE) {
                response =
                    response.with_header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            }
            response.body = later.stream(about);
            Ok(response)
        }
        "background" => {
            let task = later.task(about);
            let mut response = run(about.get("then").unwrap_or(&Json::Null), received, status, later)?;
            response.tasks.insert(0, task);
            Ok(response)
        }
        "trace" => {
            let count = about.get("notes").and_then(Json::status).unwrap_or_default();
            Ok(plain(status, "application/json", later.notes(count.into()).to_string().into_bytes()))
        }
        other => Err(exception(&format!("no such word: {other}"))),
    }
}

/// A plain value of this status.
pub fn answer(status: u16, value: &Json) -> Response {
    plain(status, "application/json", value.to_string().into_bytes())
}

fn plain(status: u16, content_type: &'static str, content: Vec<u8>) -> Response {
    let response = Response::new(StatusCode::from_u16(status).expect("a valid case"), content);
    if content_type.is_empty() {
        return response;
    }
    response.with_header(header::CONTENT_TYPE, HeaderValue::from_static(content_type))
}

pub fn respond(about: &Json, status: u16) -> Response {
    let status = about.get("status").and_then(Json::status).unwrap_or(status);
    let (content_type, content) = if let Some(value) = about.get("value") {
        ("application/json", value.to_string().into_bytes())
    } else if let Some(text) = about.text_of("text") {
        ("text/plain; charset=utf-8", text.as_bytes().to_vec())
    } else if let Some(text) = about.text_of("base64") {
        ("application/octet-stream", STANDARD.decode(text).expect("a valid case"))
    } else {
        ("", Vec::new())
    };
    let mut response = plain(status, content_type, content);
    for pair in about.get("headers").map_or(&[][..], Json::items) {
        let [Json::Text(name), Json::Text(value)] = pair.items() else { continue };
        let name: HeaderName = name.parse().expect("a valid case");
        if name == header::CONTENT_TYPE {
            response.headers.retain(|(known, _)| *known != name);
        }
        response.headers.push((name, HeaderValue::from_str(value).expect("a valid case")));
    }
    response
}

pub fn raise(about: &Json) -> Error {
    let Some(http) = about.get("http") else {
        return exception(about.text_of("exception").unwrap_or_default());
    };
    let mut error = Error::new(ErrorCode::Raised);
    error.exception = Some(RAISED);
    error.status = http.get("status").and_then(Json::status).and_then(|status| StatusCode::from_u16(status).ok());
    error.title = http.text_of("title").map(str::to_owned);
    error.type_uri = http.text_of("type").map(str::to_owned);
    if let Some(Json::Map(headers)) = http.get("headers") {
        for (name, value) in headers {
            let value = HeaderValue::from_str(value.text().expect("a valid case")).expect("a valid case");
            error.headers.push((name.parse().expect("a valid case"), value));
        }
    }
    if let Some(extra) = http.get("extra") {
        error.extra = extra.to_value().as_object().cloned().unwrap_or_default();
    }
    match http.get("detail") {
        Some(Json::Text(detail)) => error.detail = Some(detail.clone().into()),
        // Anything but text is a member like those of `extra`.
        Some(detail) => drop(error.extra.insert("detail".to_owned(), detail.to_value())),
        None => {}
    }
    error
}
