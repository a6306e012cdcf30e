//! The one room behind every door: takes a request, gives a response, and never fails.

use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::{Either, join, ready};
#[cfg(feature = "server")]
use http::request::Parts;
use http::{Extensions, HeaderName, Method, StatusCode, header};
use pin_project_lite::pin_project;
use spikard_core::{Error, ErrorCode, HostId, RequestId, Response, SpecError, Template, config::Config, spec::AppSpec};
use spikard_ffi::{Runtime, Work};

use crate::{
    Apart, BodyError,
    access::{AccessLog, Asked, Entry},
    background::{self, Background, Origin},
    body::Body,
    conduct::Compiler,
    deadline::Deadline,
    departure::Departure,
    encode::{encode_error, encode_response, strip_content},
    endpoint::{Endpoint, Way},
    mount::Mount,
    platform::Platform,
    provide::retire,
    router::{Found, Router},
    singletons::Singletons,
    transit::Transit,
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An app as an HTTP service. Cloning it is cheap.
#[derive(Clone)]
pub struct Service(Arc<Room>);

struct Room {
    router: Router<Endpoint>,
    /// For requests without a route, where hooks or exception handlers want them.
    outside: Option<Arc<Endpoint>>,
    transit: Arc<Transit>,
    singletons: Arc<Singletons>,
    access: Option<Arc<AccessLog>>,
    apart: Apart,
    config: Config,
}

impl Service {
    /// Compiles an app. The error names the route.
    pub fn new(spec: &AppSpec, runtime: Arc<dyn Runtime>, platform: Arc<dyn Platform>) -> Result<Self, SpecError> {
        let config = Config::resolve(&spec.config)?;
        check_directory(&config, &*platform)?;
        let access = AccessLog::of(config.access_log, &platform);
        let transit = Transit::new(runtime, platform.clone(), &config);
        let singletons = Arc::new(Singletons::new(spec.dependencies.len()));
        let mut router = Router::new(config.trailing_slash);
        let mut compiler = Compiler::new(spec, &config, &transit, &singletons);
        for route in &spec.routes {
            let method = Method::from_bytes(route.method.as_bytes())
                .map_err(|_| SpecError::new(format!("{:?} is no method", route.method)))?;
            let added = Template::parse(&route.path)
                .and_then(|template| router.add(method, &template, Endpoint::new(route, &mut compiler)?));
            added.map_err(|error| error.in_route(&route.method, &route.path))?;
        }
        let outside = Endpoint::outside(&mut compiler)?.map(Arc::new);
        let apart = Apart::new(&config, platform);
        Ok(Self(Arc::new(Room { router, outside, transit, singletons, access, apart, config })))
    }

    /// Takes bodies apart for user code that has read them.
    pub fn apart(&self) -> &Apart {
        &self.0.apart
    }

    /// Answers a request. Dropping the future is the client's departure.
    pub fn call<B>(&self, request: http::Request<B>) -> impl Future<Output = http::Response<Body>> + use<B>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        let departure = request.extensions().get().cloned();
        self.answer(request, departure)
    }

    /// Like [`Service::call`], for a client whose end may be seen.
    pub(crate) fn answer<B>(
        &self,
        request: http::Request<B>,
        departure: Option<Departure>,
    ) -> impl Future<Output = http::Response<Body>> + use<B>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        let request_id = self.request_id(&request);
        let bodiless = request.method() == Method::HEAD;
        let mut deadline = None;
        let access = self.0.access.as_ref();
        let mut entry = access.map(|log| log.entry(&Asked::of(&request), departure.as_ref(), request_id.clone()));
        let inner = match self.0.router.find(request.method(), request.uri()) {
            Ok(Found::Endpoint(endpoint, path)) => {
                let terms = endpoint.terms(bodiless, request_id.clone(), departure);
                deadline = terms.deadline.map(|at| Deadline::new(endpoint.clone(), at));
                if let Some(entry) = &mut entry {
                    entry.matched(&endpoint.name);
                }
                // Each layer and the connection move what they are given: a block is moved for less.
                Either::Left(Box::pin(endpoint.run(Way::Route(path), terms, request)))
            }
            found => {
                let error = without_endpoint(found, request.extensions());
                match &self.0.outside {
                    Some(outside) => {
                        let terms = outside.terms(bodiless, request_id.clone(), departure);
                        deadline = terms.deadline.map(|at| Deadline::new(outside.clone(), at));
                        Either::Left(Box::pin(outside.clone().run(Way::None(error), terms, request)))
                    }
                    None => Either::Right(ready(encode(error))),
                }
            }
        };
        Guarded { inner, deadline, request_id, bodiless, entry }
    }

    fn request_id<B>(&self, request: &http::Request<B>) -> Option<RequestId> {
        let random = || RequestId::random(self.0.transit.platform.random());
        // Of the few fields of a request, each is compared for less than the name is hashed.
        let given = || request.headers().iter().find(|(name, _)| *name == X_REQUEST_ID);
        let given = || given().and_then(|(_, value)| RequestId::given(value));
        self.0.config.enable_request_id.then(|| given().unwrap_or_else(random))
    }

    /// What applies.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Brings answers home and watches the deadlines. It has to run on the I/O side for as long as requests are made.
    pub fn bring_home(&self) -> impl Future<Output = ()> + Send + 'static {
        let transit = self.0.transit.clone();
        async move {
            join(transit.bring_home(), transit.deadlines.watch()).await;
        }
    }

    /// Says that the host's thread is the I/O side too: answers are there as soon as they are made.
    pub fn live_with_host(&self) {
        self.0.transit.live_together();
    }

    /// Works that have not ended, clean-up and background tasks included.
    pub fn in_flight(&self) -> usize {
        self.0.transit.in_flight()
    }

    /// The bounds of background tasks.
    pub fn background(&self) -> &Arc<Background> {
        &self.0.transit.background
    }

    /// The work of a background task that was asked for when its request had ended. Its values are its own.
    pub fn run_in_background(&self, task: HostId) -> Work {
        let origin = Origin { route: "a request that had ended".into(), request_id: None };
        background::work(&self.0.transit, task, origin)
    }

    /// Writes the line of a request that never came here, as it was answered.
    #[cfg(feature = "server")]
    pub(crate) fn note(&self, head: &Parts, departure: Option<&Departure>, response: &mut http::Response<Body>) {
        let Some(log) = &self.0.access else { return };
        let id = response.headers().get(X_REQUEST_ID).and_then(RequestId::given);
        let mut entry = log.entry(&Asked::of_head(head), departure, id);
        entry.answered(response.status());
        response.body_mut().log(entry);
    }

    /// Waits for the access log to be out, for a moment at most.
    pub(crate) fn flush_log(&self) {
        self.0.transit.platform.flush_log();
    }

    /// Ends when nothing is in flight.
    pub fn idle(&self) -> impl Future<Output = ()> + Send + 'static {
        let transit = self.0.transit.clone();
        async move { transit.idle().await }
    }

    /// Ends when the host's thread looks at what is new: not while user code keeps it.
    pub fn attended(&self) -> impl Future<Output = ()> + Send + 'static {
        let (here, answer) = tokio::sync::oneshot::channel();
        self.0.transit.runtime.run(Box::pin(async move {
            let _ = here.send(());
        }));
        async move {
            let _ = answer.await;
        }
    }

    /// Finishes the singletons that were made, the latest first, on the host's side; ends when that is done. For when
    /// no request needs them any more.
    pub fn retire(&self) -> impl Future<Output = ()> + Send + 'static {
        retire(&self.0.transit, &self.0.singletons)
    }

    /// Requests whose user code ignored its cancellation for longer than the grace.
    pub fn given_up(&self) -> usize {
        self.0.transit.given_up()
    }
}

/// What the table of routes itself answers.
fn without_endpoint(found: Result<Found<Endpoint>, Error>, extensions: &Extensions) -> Error {
    let answer = |status, name, value| Error::answered(Response::new(status, Bytes::new()).with_header(name, value));
    match found {
        Ok(Found::Options(allow)) => answer(StatusCode::NO_CONTENT, header::ALLOW, allow),
        Ok(Found::Redirect(to)) => {
            answer(StatusCode::PERMANENT_REDIRECT, header::LOCATION, Mount::outside(extensions, to))
        }
        Ok(Found::OtherMethod(allow)) => Error::new(ErrorCode::MethodNotAllowed).with_header(header::ALLOW, allow),
        Ok(Found::Nothing | Found::Endpoint(..)) => Error::new(ErrorCode::NotFound),
        Err(error) => error,
    }
}

fn encode(mut error: Error) -> http::Response<Body> {
    error.answer.take().map_or_else(|| encode_error(&error), encode_response)
}

impl<B> tower_service::Service<http::Request<B>> for Service
where
    B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let answer = Self::call(self, request);
        Box::pin(async move { Ok(answer.await) })
    }
}

pin_project! {
    /// The outermost layers: the request's time and its id, the answer to HEAD, and the guard against a panic of the
    /// I/O side. When the time is over it answers at once, and is dropped with what it waited for: that is how the rest
    /// of the request learns of it.
    struct Guarded<F> {
        #[pin]
        inner: F,
        deadline: Option<Deadline>,
        request_id: Option<RequestId>,
        bodiless: bool,
        entry: Option<Box<Entry>>,
    }
}

impl<F: Future<Output = http::Response<Body>>> Future for Guarded<F> {
    type Output = http::Response<Body>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let inner = this.inner;
        let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(cx)));
        let mut polled =
            polled.unwrap_or_else(|_| Poll::Ready(encode_error(&Error::internal("a panic on the I/O side"))));
        if let (Poll::Pending, Some(deadline)) = (&polled, this.deadline) {
            polled = deadline.poll(cx).map(|()| encode_error(&deadline.missed(this.request_id.clone())));
        }
        if let Poll::Ready(response) = &mut polled {
            if let Some(id) = this.request_id {
                response.headers_mut().insert(X_REQUEST_ID, id.to_header());
            }
            if *this.bodiless {
                strip_content(response);
            }
            if let Some(mut entry) = this.entry.take() {
                entry.answered(response.status());
                response.body_mut().log(entry);
            }
        }
        polled
    }
}

/// Fails where uploads would: at start, while somebody looks.
fn check_directory(config: &Config, platform: &dyn Platform) -> Result<(), SpecError> {
    let Some(directory) = &config.upload_dir else { return Ok(()) };
    let fault = |error: io::Error| {
        SpecError::new(format!("upload_dir: no file can be made there ({}), got {directory:?}", error.kind()))
    };
    platform.spool(Some(directory)).map(drop).map_err(fault)
}
