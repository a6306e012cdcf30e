//! The whole life of a request, from top to bottom. `docs/lifecycle.md` is its picture.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use http::request::Parts;
use spikard_core::{
    Body as CoreBody, CallableId, Error, ErrorCode, Flow, Head, HostId, Matched, Outcome, Phase, Request, RequestId,
    Response, SpecError,
    plan::{Bound, PathValues, Plan},
    spec::RouteSpec,
};
use spikard_ffi::{Call, Report};

use crate::{
    BodyError,
    body::Body,
    conduct::{Compiler, Conduct},
    departure::Departure,
    encode::{drop_content, encode_error, encode_response, encode_with, sound},
    file::{self, Asked, Reading},
    hooks::{after, before},
    judging::judged_beside,
    keeper::Kept,
    peer::Peer,
    promise::Promise,
    provide::{provide, settle},
    tail::{fail, finish, has_tail, report, tail, thrown_into},
    transit::{Fault, Home, HostEnd, IoEnd, Line, Terms},
};

/// What the router says of a request.
pub(crate) enum Way {
    Route(PathValues),
    /// There is no route.
    None(Error),
}

impl Way {
    fn open(self) -> (PathValues, Option<Error>) {
        match self {
            Self::Route(path) => (path, None),
            Self::None(error) => (PathValues::new(), Some(error)),
        }
    }
}

type Boxed<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A route. What a request looks at stands in few lines of memory, of which many routes share most.
pub(crate) struct Endpoint {
    plan: Arc<Plan>,
    pub conduct: Arc<Conduct>,
    handler: CallableId,
    promise: Option<Box<Promise>>,
    /// For heads.
    matched: Option<Arc<Matched>>,
    /// For reports and the log.
    pub name: Arc<str>,
}

impl Endpoint {
    pub(crate) fn new(route: &RouteSpec, compiler: &mut Compiler<'_>) -> Result<Self, SpecError> {
        Ok(Self {
            conduct: compiler.conduct(route)?,
            plan: compiler.plan(route)?,
            handler: route.handler,
            promise: Promise::of(compiler.app, route, compiler.config)?,
            matched: Some(Arc::new(Matched::new(&route.path)?)),
            name: format!("{} {}", route.method, route.path).into(),
        })
    }

    /// For requests without a route. None: nothing of the app sees them.
    pub(crate) fn outside(compiler: &mut Compiler<'_>) -> Result<Option<Self>, SpecError> {
        let Some(conduct) = compiler.outside()? else { return Ok(None) };
        let nowhere = Self::new(&RouteSpec::nowhere(), compiler)?;
        Ok(Some(Self { conduct, matched: None, name: "unmatched".into(), ..nowhere }))
    }

    /// Somebody may look at the head.
    fn carries_head(&self) -> bool {
        self.conduct.carries_head || self.plan.needs_head()
    }

    /// Something runs between `Bind` and the handler.
    fn binds_first(&self) -> bool {
        self.plan.takes_inputs() && (self.plan.provides() || !self.conduct.hooks.pre_handler.is_empty())
    }

    /// I/O side: bind, body; host's side: hooks, providers, handler, hooks; I/O side: encode. One exit for failure.
    ///
    /// The head is dealt with before the future is built, and no future is wrapped in another `async` block: whatever
    /// a future holds, it holds once for each wrapper, and the connection copies all of it.
    pub(crate) fn run<B>(
        self: Arc<Self>,
        way: Way,
        terms: Terms,
        http: http::Request<B>,
    ) -> impl Future<Output = http::Response<Body>> + use<B>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        let (parts, body) = http.into_parts();
        let has_body = !body.is_end_stream();
        let asked = Asked::of(&parts);
        let starts_early = !self.conduct.hooks.early.is_empty();
        let (path, unmatched) = way.open();
        let bound = match unmatched {
            Some(error) => Some(Err(error)),
            None => (!starts_early).then(|| self.plan.bind(&path, &parts, has_body)),
        };
        let head = self.carries_head().then(|| self.head(path, parts, &terms));
        let mut kept = Kept::new(body, head.as_deref(), self.plan.reads_body(), self.conduct.max_body_size);
        let seen = head.clone().filter(|_| !self.conduct.recover.is_empty());
        async move {
            let (mut waiting, mut request) = (None, Request { args: Vec::new(), head });
            if starts_early {
                let mut end = self.on_host(terms.clone(), seen.clone(), Ok(request));
                request = match kept.arrival(&mut end).await {
                    Home::Decode(seen) => seen,
                    Home::Open(path) => return Box::pin(self.send_file(end, path, asked)).await,
                    home => return self.encode(home, end.into_line(), asked.as_deref()),
                };
                waiting = Some(end);
            }
            let bound = bound.unwrap_or_else(|| self.bind_again(&request, has_body || kept.is_replaced()));
            let received = match &bound {
                Ok(bound) => kept.received(bound, &self.conduct).await,
                Err(_) => Ok(None),
            };
            kept.let_go();
            let args = match (bound, received) {
                (Ok(bound), Ok(received)) if self.plan.takes_long(&bound, received.as_ref()) => {
                    Box::pin(judged_beside(&self.conduct.transit, self.plan.clone(), bound, received)).await
                }
                (bound, received) => bound.and_then(|bound| self.plan.finish(bound, received?)),
            };
            let request = args.map(|args| Request { args, ..request });
            let mut end = match (waiting, request) {
                (Some(end), request) => end.give(request),
                (None, Err(error)) if !self.errors_cross(&error) => return self.encode_error(error),
                (None, request) => self.on_host(terms, seen, request),
            };
            match kept.arrival(&mut end).await {
                Home::Open(path) => Box::pin(self.send_file(end, path, asked)).await,
                home => self.encode(home, end.into_line(), asked.as_deref()),
            }
        }
    }

    fn on_host(self: &Arc<Self>, terms: Terms, seen: Option<Arc<Head>>, request: Result<Request, Error>) -> IoEnd {
        self.conduct.transit.on_host(&self.name, terms, |end| self.clone().host_side(end, seen, request))
    }

    /// Only a head that is looked at pays for an extension: there the departure, and the peer with it, is found.
    fn head(&self, path: PathValues, mut parts: Parts, terms: &Terms) -> Arc<Head> {
        if let Some(departure) = &terms.departure {
            parts.extensions.insert(departure.clone());
        }
        let (matched, request_id) = (self.matched.clone(), terms.request_id.clone());
        Arc::new(Head { parts, path, matched, request_id, body: Arc::default() })
    }

    /// After early hooks: what they have changed is what is read.
    fn bind_again(&self, request: &Request, has_body: bool) -> Result<Bound, Error> {
        let head = request.head.as_ref().ok_or_else(|| Error::internal("a hook has lost the head"))?;
        self.plan.bind(&head.path, &head.parts, has_body)
    }

    pub(crate) fn terms(&self, bodiless: bool, request_id: Option<RequestId>, departure: Option<Departure>) -> Terms {
        Terms {
            departure_cancels: self.conduct.cancel_on_disconnect,
            deadline: self.conduct.timeout.map(|limit| self.conduct.transit.platform.now() + limit),
            bodiless,
            departure,
            request_id,
        }
    }

    /// Whether user code wants to see an error of the I/O side, or its log has to.
    fn errors_cross(&self, error: &Error) -> bool {
        error.code == ErrorCode::Internal
            || !self.conduct.hooks.on_response.is_empty()
            || self.conduct.recover.statuses.contains_key(&error.status_code().as_u16())
    }

    /// What runs on the host's thread: one future, whatever it meets.
    #[allow(clippy::manual_async_fn, reason = "an async fn stores its parameters twice")]
    fn host_side(
        self: Arc<Self>,
        mut end: HostEnd,
        head: Option<Arc<Head>>,
        request: Result<Request, Error>,
    ) -> impl Future<Output = ()> {
        async move {
            let mut generators = Vec::new();
            let mut failed = None;
            let mut made = self.respond(&end, &mut generators, request).await;
            if let Err(Fault::Error(error)) = made {
                made = Box::pin(self.recover(&end, &mut generators, &mut failed, head, error)).await;
            }
            if !self.conduct.hooks.on_response.is_empty()
                && let Ok(response) = made
            {
                made = after(&end, Phase::OnResponse, &self.conduct.hooks.on_response, response).await;
            }
            made = made.and_then(|response| self.sendable(&end, response, &mut failed));
            if let Ok(Response { body: CoreBody::File(file), .. }) = &made
                && let Err(fault) = Box::pin(end.open(file.path.clone())).await
            {
                made = Err(fault);
            }
            made = made.and_then(|response| end.still_wanted().map(|()| response));
            match made {
                Ok(response) if generators.is_empty() && !has_tail(&response) => end.answer(Ok(response), false),
                Ok(response) => Box::pin(tail(&mut end, &self.name, generators, response)).await,
                Err(Fault::Cancelled(reason)) => self.finish(&end, &generators, Outcome::Cancelled(reason)).await,
                Err(Fault::GivenUp) => return end.give_up(&self.name),
                Err(Fault::Error(error)) => {
                    failed = Box::pin(self.told(&end, failed.take(), &error)).await;
                    Box::pin(fail(&mut end, &self.name, &generators, error)).await;
                }
            }
            if let Some(failed) = failed {
                Box::pin(report(failed)).await;
            }
        }
    }

    /// Hooks, decoding, providers and handler, in the order of the road.
    async fn respond(
        &self,
        end: &HostEnd,
        generators: &mut Vec<HostId>,
        request: Result<Request, Error>,
    ) -> Result<Response, Fault> {
        let mut request = request?;
        if !self.conduct.hooks.early.is_empty() {
            request = match Box::pin(before(end, &self.conduct.hooks.early, request)).await? {
                Flow::Continue(seen) => seen,
                Flow::Respond(early) => return Ok(early),
            };
            request = Box::pin(end.on_io(request)).await?;
        }
        if self.binds_first() {
            let args = self.plan.take_inputs(&mut request.args);
            let places: Vec<u32> = args.iter().map(|arg| arg.argument).collect();
            let bound = end.ask(|reply| Call::Bind { args, reply }).await?;
            self.plan.put_bound(&mut request.args, &places, bound);
        }
        if !self.conduct.hooks.pre_handler.is_empty() {
            request = match Box::pin(before(end, &self.conduct.hooks.pre_handler, request)).await? {
                Flow::Continue(seen) => seen,
                Flow::Respond(early) => return Ok(early),
            };
        }
        self.plan.put_request(&mut request);
        if self.plan.provides() {
            Box::pin(provide(&self.plan, &self.conduct.singletons, end, generators, &mut request.args)).await?;
        }
        let args = self.plan.handler_args(request.args);
        let mut response = end.ask(|reply| Call::Handle { handler: self.handler, args, reply }).await?;
        if let Some(promise) = &self.promise {
            response = promise.kept(response)?;
        }
        match self.plan.ended_by_handler() {
            0 => Ok(response),
            count => Box::pin(settle(end, generators, count, response)).await,
        }
    }

    /// The generators see the exception first, the innermost before the others; what leaves them becomes the
    /// response.
    async fn recover(
        &self,
        end: &HostEnd,
        generators: &mut Vec<HostId>,
        failed: &mut Option<Report>,
        head: Option<Arc<Head>>,
        mut error: Error,
    ) -> Result<Response, Fault> {
        if let Some(answer) = error.answer.take() {
            return Ok(answer);
        }
        self.plan.word(&mut error);
        error = thrown_into(std::mem::take(generators), error).await;
        let raised = error.exception.is_some();
        let response = self.handled(end, failed, head, error).await?;
        if self.conduct.hooks.on_error.is_empty() || !raised || !response.status.is_server_error() {
            return Ok(response);
        }
        match after(end, Phase::OnError, &self.conduct.hooks.on_error, response).await {
            Err(Fault::Error(another)) => {
                *failed = Box::pin(self.told(end, failed.take(), &another)).await;
                Ok(another.problem())
            }
            seen => seen,
        }
    }

    /// The answer of an exception handler, of which one that fails is answered for in turn; else the problem document.
    async fn handled(
        &self,
        end: &HostEnd,
        failed: &mut Option<Report>,
        head: Option<Arc<Head>>,
        error: Error,
    ) -> Result<Response, Fault> {
        let problem = error.problem();
        let unhandled = self.report_of(end, &error);
        let seen = head.clone().filter(|_| self.conduct.recover.debug.is_some());
        let recovered = match self.conduct.recover.handler_of(&error) {
            Some(handler) => end.ask(|reply| Call::Recover { handler, error, head, reply }).await,
            None => Ok(None),
        };
        match recovered {
            Ok(Some(response)) => Ok(response),
            Ok(None) => {
                *failed = unhandled;
                match (&failed, seen) {
                    (Some(report), Some(head)) => Box::pin(self.shown(end, report, head, problem)).await,
                    _ => Ok(problem),
                }
            }
            Err(Fault::Error(another)) => {
                *failed = self.report_of(end, &another);
                Ok(another.problem())
            }
            Err(fault) => Err(fault),
        }
    }

    /// The page of a failure for its developer, in place of the problem document.
    async fn shown(
        &self,
        end: &HostEnd,
        report: &Report,
        head: Arc<Head>,
        problem: Response,
    ) -> Result<Response, Fault> {
        let Some(handler) = self.conduct.recover.debug.filter(|_| Peer::is_near(&head.parts)) else {
            return Ok(problem);
        };
        let mut error = Error::internal(report.source.clone().unwrap_or_default());
        error.exception = report.exception;
        match end.ask(|reply| Call::Recover { handler, error, head: Some(head), reply }).await {
            Ok(page) => Ok(page.unwrap_or(problem)),
            Err(Fault::Error(_)) => Ok(problem),
            Err(fault) => Err(fault),
        }
    }

    /// What a connection can write. Content that the status does not allow is left out, and told to the log.
    fn sendable(&self, end: &HostEnd, response: Response, failed: &mut Option<Report>) -> Result<Response, Fault> {
        let mut response = sound(response).map_err(Fault::Error)?;
        if let Some(source) = drop_content(&mut response) {
            *failed = failed.take().or_else(|| self.report_of(end, &Error::internal(source)));
        }
        Ok(response)
    }

    /// Rare: a response of its own has a tail.
    fn finish<'a>(&'a self, end: &'a HostEnd, generators: &'a [HostId], outcome: Outcome) -> Boxed<'a> {
        Box::pin(async move { _ = finish(end, &self.name, generators, outcome).await })
    }

    /// The report of a failure, once the one before it is made.
    async fn told(&self, end: &HostEnd, before: Option<Report>, error: &Error) -> Option<Report> {
        if let Some(before) = before {
            report(before).await;
        }
        self.report_of(end, error)
    }

    /// Only what nobody expected is reported: an error that names its own status is an answer.
    fn report_of(&self, end: &HostEnd, error: &Error) -> Option<Report> {
        (error.code == ErrorCode::Internal).then(|| Report {
            exception: error.exception,
            source: error.source.clone(),
            route: self.name.clone(),
            request_id: end.request_id(),
        })
    }

    /// Opens files for the work, which answers then: the handler's, and another that a hook puts in its place.
    async fn send_file(&self, mut end: IoEnd, path: PathBuf, asked: Option<Box<Asked>>) -> http::Response<Body> {
        let mut home = Home::Open(path);
        while let Home::Open(path) = home {
            end = end.tell(file::open(&*self.conduct.transit.platform, path).await);
            home = end.arrival().await;
        }
        self.encode(home, end.into_line(), asked.as_deref())
    }

    fn encode(&self, home: Home, line: Option<Arc<Line>>, asked: Option<&Asked>) -> http::Response<Body> {
        match home {
            Home::Head { made: Ok(mut response), tail } => {
                let bodiless = line.as_ref().is_some_and(|line| line.terms.bodiless);
                let reading = match &response.body {
                    CoreBody::File(_) => line.as_ref().and_then(|line| self.reading(line, &mut response, asked)),
                    _ => None,
                };
                encode_with(response, bodiless, reading, line.filter(|_| tail))
            }
            Home::Head { made: Err(error), .. } => self.encode_error(error),
            Home::Decode(_) | Home::Open(_) | Home::Chunk(_) | Home::End(_) => {
                encode_error(&Error::internal("a work sent its body before its head"))
            }
        }
    }

    /// What is to be read of the file that was opened for this answer.
    fn reading(&self, line: &Line, response: &mut Response, asked: Option<&Asked>) -> Option<Reading> {
        file::complete(response, line.take_file()?, asked, self.conduct.transit.platform.random())
    }

    fn encode_error(&self, mut error: Error) -> http::Response<Body> {
        if let Some(answer) = error.answer.take() {
            return encode_response(answer);
        }
        self.plan.word(&mut error);
        encode_error(&error)
    }
}
