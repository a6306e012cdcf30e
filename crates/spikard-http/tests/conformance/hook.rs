//! Hooks and exception handlers: what the document says of them, and what their code does.

use std::{sync::Arc, thread, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use serde_json::{Map, Value, json};
use spikard_core::{Error, Flow, Head, Request, Response, pairs};

use crate::{app::exception, echo, json::Json, later::Later, script};

/// The number of the first hook, and of the first exception handler; the lower ones are other code.
pub const HOOKS: usize = 2000;
pub const HANDLERS: usize = 3000;

/// What hooks leave for those behind them.
#[derive(Clone, Default)]
struct State(Vec<(String, Json)>);

fn items<'a>(spec: &'a Json, member: &str) -> &'a [Json] {
    spec.get(member).map_or(&[][..], Json::items)
}

/// What the document has of an app's or a route's hooks; their scripts go to `code`.
pub fn hooks(spec: &Json, code: &mut Vec<Json>) -> Value {
    let mut document: Map<String, Value> = Map::new();
    for hook in items(spec, "hooks") {
        let ids = document.entry(hook.text_of("on").expect("a valid case")).or_insert_with(|| json!([]));
        ids.as_array_mut().expect("a list").push((HOOKS + code.len()).into());
        code.push(hook.get("script").expect("a valid case").clone());
    }
    document.into()
}

/// The same of its exception handlers.
pub fn recover(app: &Json, code: &mut Vec<Json>) -> Value {
    let mut statuses = Map::new();
    for handler in items(app, "recover") {
        let status = handler.get("status").expect("a valid case").to_string();
        statuses.insert(status, (HANDLERS + code.len()).into());
        code.push(handler.get("script").expect("a valid case").clone());
    }
    json!({"statuses": statuses})
}

fn word(words: &Json) -> Result<(&str, &Json), Error> {
    let Json::Map(words) = words else { return Err(exception("a script is an object")) };
    words.first().map(|(word, about)| (word.as_str(), about)).ok_or_else(|| exception("a script has one word"))
}

pub fn before(words: &Json, mut request: Request) -> Result<Flow<Request>, Error> {
    match word(words)? {
        ("continue", _) => Ok(Flow::Continue(request)),
        ("short_circuit", about) => Ok(Flow::Respond(script::respond(about, 200))),
        ("return", about) => returned(about).map(Flow::Respond),
        ("raise", about) => Err(script::raise(about)),
        ("sleep", about) => {
            wait(about);
            before(about.get("then").expect("a valid case"), request)
        }
        ("mutate", about) => {
            let mut head = Head::clone(request.head.as_ref().expect("hooks are shown it"));
            change(&mut head, about);
            request.head = Some(Arc::new(head));
            Ok(Flow::Continue(request))
        }
        (other, _) => Err(exception(&format!("no such word: {other}"))),
    }
}

pub fn after(words: &Json, mut response: Response) -> Result<Flow<Response>, Error> {
    match word(words)? {
        ("continue", _) => Ok(Flow::Continue(response)),
        ("short_circuit", about) => Ok(Flow::Respond(script::respond(about, 200))),
        ("return", about) => returned(about).map(Flow::Respond),
        ("raise", about) => Err(script::raise(about)),
        ("sleep", about) => {
            wait(about);
            after(about.get("then").expect("a valid case"), response)
        }
        ("mutate", about) => {
            for (name, value) in fields(about, "headers") {
                response.headers.retain(|(known, _)| *known != name);
                response.headers.push((name, value));
            }
            response.headers.extend(fields(about, "append"));
            response.headers.retain(|(known, _)| !removed(about, known));
            if let Some(status) = about.get("status").and_then(Json::status) {
                response.status = StatusCode::from_u16(status).expect("a valid case");
            }
            Ok(Flow::Continue(response))
        }
        (other, _) => Err(exception(&format!("no such word: {other}"))),
    }
}

/// A value beside a status is an answer, a value alone is none.
fn returned(about: &Json) -> Result<Response, Error> {
    about.get("status").ok_or_else(|| exception("a value alone"))?;
    Ok(script::respond(about, 200))
}

/// An exception handler, which receives the status of the error and what it says.
pub fn handled(words: &Json, error: &Error, later: &Later) -> Result<Response, Error> {
    let detail = error.detail.as_ref().map_or(Json::Null, |detail| Json::from(detail.as_ref()));
    let status = error.status_code().as_u16();
    let received = Json::Map(vec![("status".to_owned(), Json::Int(status.to_string())), ("detail".to_owned(), detail)]);
    script::run(words, &received, status, later)
}

/// As `echo` writes the request itself.
pub fn written(head: &Head) -> Json {
    let uri = &head.parts.uri;
    let fields = head.parts.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-"));
    let text = |value: &HeaderValue| pairs::field_text(value).into_owned();
    let fields = fields.map(|(name, value)| Json::List(vec![name.as_str().into(), text(value).as_str().into()]));
    let State(state) = head.parts.extensions.get().cloned().unwrap_or_default();
    let params = head.path_values().into_iter().map(|(name, value)| (name, echo::argument(&value, &Value::Null, &[])));
    let mut said = vec![
        ("method".to_owned(), head.parts.method.as_str().into()),
        ("path".to_owned(), uri.path().into()),
        ("query".to_owned(), uri.query().unwrap_or_default().into()),
        ("fields".to_owned(), Json::List(fields.collect())),
        ("state".to_owned(), Json::Map(state)),
    ];
    let params: Vec<_> = params.collect();
    if !params.is_empty() {
        said.push(("params".to_owned(), Json::Map(params)));
    }
    Json::Map(said)
}

fn wait(about: &Json) {
    let seconds = about.get("seconds").and_then(Json::number).unwrap_or_default();
    thread::sleep(Duration::from_secs_f64(seconds));
}

fn change(head: &mut Head, about: &Json) {
    for (name, value) in fields(about, "headers") {
        head.parts.headers.insert(name, value);
    }
    for (name, value) in fields(about, "append") {
        head.parts.headers.append(name, value);
    }
    for name in items(about, "remove").iter().filter_map(Json::text) {
        head.parts.headers.remove(name);
    }
    if about.get("query").is_some() {
        let pairs: Vec<String> = texts(about, "query").map(|(name, value)| format!("{name}={value}")).collect();
        let target = format!("{}?{}", head.parts.uri.path(), pairs.join("&"));
        head.parts.uri = Uri::try_from(target).expect("a valid case");
    }
    if let Some(Json::Map(members)) = about.get("state") {
        let mut state: State = head.parts.extensions.get().cloned().unwrap_or_default();
        state.0.extend(members.iter().cloned());
        head.parts.extensions.insert(state);
    }
    if let Some(body) = about.get("body") {
        head.body.replace(Bytes::from(body.to_string()));
    }
}

/// A list of pairs.
fn texts<'a>(about: &'a Json, member: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    items(about, member).iter().filter_map(|pair| match pair.items() {
        [Json::Text(name), Json::Text(value)] => Some((name.as_str(), value.as_str())),
        _ => None,
    })
}

fn fields(about: &Json, member: &str) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let field = |(name, value): (&str, &str)| (name.parse().expect("a name"), value.parse().expect("a value"));
    texts(about, member).map(field)
}

fn removed(about: &Json, known: &HeaderName) -> bool {
    items(about, "remove").iter().filter_map(Json::text).any(|name| name == known)
}
