//! The Rust half of the package's `Request`: nothing of a head crosses before somebody asks for it.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, Uri, request::Parts};
use napi::{Either, Env, Unknown};
use napi_derive::napi;
use spikard_core::{Arg, Head, RequestBody, Told};
use spikard_http::{Departure, Peer};

use super::{Held, Loop, Stage, wrong};
use crate::{
    convert,
    js::{Js, Val},
    refused,
    runtime::Answer,
};

/// What a `Request` asks. It outlives its request.
#[napi]
pub struct RequestHead {
    /// The request holds the host's object that holds this: it may not be held by it in turn.
    held: Weak<Held>,
    here: Rc<Loop>,
    /// When the request is over its head is still here.
    last: RefCell<Arc<Head>>,
}

impl RequestHead {
    pub(crate) fn new(held: &Rc<Held>, here: Rc<Loop>) -> Option<Self> {
        let last = RefCell::new(held.head()?);
        Some(Self { held: Rc::downgrade(held), here, last })
    }

    fn head(&self) -> Arc<Head> {
        if let Some(head) = self.held.upgrade().and_then(|held| held.head()) {
            self.last.replace(head);
        }
        self.last.borrow().clone()
    }

    fn change(&self, change: impl FnOnce(&mut Head)) {
        let mut head = Head::clone(&self.head());
        change(&mut head);
        if let Some(held) = self.held.upgrade() {
            held.see(Arc::new(head));
        }
    }

    fn ask(&self, ask: fn(&RequestBody, Told)) -> f64 {
        let (number, inbox) = (self.here.inbox.ask(), self.here.inbox.clone());
        ask(&self.head().body, Box::new(move |read| inbox.tell(number, Answer::Body(read))));
        number as f64
    }
}

#[napi]
impl RequestHead {
    /// Method, path, query, the template of the route and the request's id.
    #[napi]
    pub fn line(&self) -> (String, String, String, Option<String>, Option<String>) {
        let head = self.head();
        let Parts { method, uri, .. } = &head.parts;
        let query = uri.query().unwrap_or_default().to_owned();
        let route = head.matched.as_ref().map(|matched| matched.template.clone());
        let request_id = head.request_id.as_ref().map(ToString::to_string);
        (method.to_string(), uri.path().to_owned(), query, route, request_id)
    }

    /// Whether the request has been cancelled.
    #[napi(getter)]
    pub fn is_cancelled(&self) -> bool {
        self.held.upgrade().is_some_and(|held| held.is_cancelled.get())
    }

    /// Whether the client has left.
    #[napi(getter)]
    pub fn has_departed(&self) -> bool {
        Departure::is_over(&self.head())
    }

    /// Host and port of the other end of the connection.
    #[napi(getter)]
    pub fn peer(&self) -> Option<(String, u32)> {
        Peer::address(&self.head().parts.extensions).map(|(host, port)| (host, port.into()))
    }

    /// Header fields: names and values in turn.
    #[napi(ts_return_type = "string[]")]
    pub fn fields(&self, env: Env) -> napi::Result<Unknown<'static>> {
        let js = Js::of(&env);
        js.answer(convert::fields_of(js, self.head().parts.headers.iter()))
    }

    /// The pairs of the query; or a status, and what is wrong.
    #[napi(ts_return_type = "[string, string][] | [number, string]")]
    pub fn query(&self) -> Either<Vec<(String, String)>, (u32, String)> {
        self.head().query_pairs().map_or_else(|error| Either::B(wrong(&error)), Either::A)
    }

    /// The cookies.
    #[napi]
    pub fn cookies(&self) -> Vec<(String, String)> {
        self.head().cookies()
    }

    /// The parameters of the path, as arguments have them.
    #[napi(ts_return_type = "[string, unknown][]")]
    pub fn path_values(&self, env: Env) -> napi::Result<Unknown<'static>> {
        let js = Js::of(&env);
        // When the request is over nothing is kept for it any more.
        let held = self.held.upgrade().unwrap_or_else(|| Rc::new(Held::new(&self.here.released)));
        let on = Stage { js, here: &self.here, held: &held };
        let pair = |(name, value): (String, Arg)| js.array(&[js.text(&name)?, convert::value(on, value)?]);
        let pairs = self.head().path_values().into_iter().map(pair).collect::<Result<Vec<_>, _>>();
        js.answer(pairs.and_then(|pairs| js.array(&pairs)))
    }

    /// Why this body is no JSON, by the rules of a bound one: a status, and what is wrong.
    #[napi]
    pub fn check_json(&self, body: &[u8]) -> Option<(u32, String)> {
        self.here.apart.check_json(body).err().as_ref().map(wrong)
    }

    /// The fields and files of a form, taken apart as a bound one is; or null, a status, and what is wrong.
    #[napi(ts_return_type = "unknown[]")]
    pub fn form(&self, env: Env, body: &[u8]) -> napi::Result<Unknown<'static>> {
        let js = Js::of(&env);
        let told = match self.here.apart.form(body, &self.head().parts) {
            Ok(entries) => {
                let entries: Result<Vec<_>, _> = entries.iter().map(|entry| convert::entry(js, entry)).collect();
                entries.and_then(|entries| Ok(vec![js.array(&entries)?]))
            }
            Err(error) => super::refused(js, &error),
        };
        js.answer(told.and_then(|told| js.array(&told)))
    }

    /// Replaces the header fields by names and values in turn.
    #[napi]
    pub fn set_fields(&self, env: Env, #[napi(ts_arg_type = "string[]")] flat: Unknown) -> napi::Result<()> {
        let mut map = HeaderMap::new();
        for (name, value) in convert::fields(Js::of(&env), Val::of(flat)).map_err(refused)? {
            map.append(name, value);
        }
        self.change(|head| head.parts.headers = map);
        Ok(())
    }

    /// Replaces path and query.
    #[napi]
    pub fn set_target(&self, target: String) -> napi::Result<()> {
        let target = Uri::try_from(target).map_err(refused)?;
        self.change(|head| head.parts.uri = target);
        Ok(())
    }

    /// Replaces the body.
    #[napi]
    pub fn set_body(&self, body: &[u8]) {
        self.head().body.replace(Bytes::copy_from_slice(body));
    }

    /// Asks for the whole body: `told` is called with the number that this answers.
    #[napi]
    pub fn read(&self) -> f64 {
        self.ask(RequestBody::read)
    }

    /// As `read`, for the next piece of it; an empty one is the end.
    #[napi]
    pub fn next(&self) -> f64 {
        self.ask(RequestBody::next)
    }
}
