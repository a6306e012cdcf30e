//! Four runtimes without a language, and the means to run one scenario under each of them.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "what supports a test fails loudly and reads simply"
)]

pub(crate) mod engine;
pub(crate) mod one_thread;
pub(crate) mod user;

use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::pin,
    rc::Rc,
    sync::{Arc, Condvar, Mutex, atomic::AtomicUsize, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use spikard_core::spec::AppSpec;
use spikard_ffi::{Job, JobQueue, Runtime, Work, Worker};
use spikard_http::{Body, BodyError, Platform, Service, Tokio};

use engine::Engine;
use one_thread::OneThread;
use user::Trace;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// One thread that asks for its work and is blocked by user code.
    Queue,
    /// Two such threads on one queue.
    Threads,
    /// A loop on its own thread; user code suspends and works interleave.
    Loop,
    /// As wasm: I/O side and host share the one thread.
    Direct,
}

/// Works in flight at most.
pub(crate) const IN_FLIGHT: usize = 2;
/// Seconds.
const CANCEL_GRACE: f64 = 0.2;

pub(crate) struct App {
    pub kind: Kind,
    pub service: Service,
    pub platform: Arc<dyn Platform>,
    pub trace: Trace,
    /// Works that were ever begun.
    pub begun: Arc<AtomicUsize>,
}

impl App {
    fn new(
        kind: Kind,
        spec: &Value,
        runtime: Arc<dyn Runtime>,
        platform: Arc<dyn Platform>,
        trace: Trace,
        begun: Arc<AtomicUsize>,
    ) -> Self {
        let mut spec = spec.clone();
        let given = &mut spec["config"]["given"];
        given["max_in_flight"] = IN_FLIGHT.into();
        given["cancel_grace"] = CANCEL_GRACE.into();
        let spec: AppSpec = serde_json::from_value(spec).unwrap();
        let service = Service::new(&spec, runtime, platform.clone()).unwrap();
        if matches!(kind, Kind::Direct) {
            service.live_with_host();
        }
        platform.spawn(Box::pin(service.bring_home()));
        App { kind, service, platform, trace, begun }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        self.send(Request::get(path).body(Full::default()).unwrap()).await
    }
    pub(crate) async fn post(&self, path: &str, body: &'static str) -> (u16, String) {
        self.send(Request::post(path).body(Full::new(Bytes::from(body))).unwrap()).await
    }
    pub(crate) async fn send<B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static>(
        &self,
        request: Request<B>,
    ) -> (u16, String) {
        let response = self.service.call(request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_or("broken".into(), http_body_util::Collected::to_bytes);
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
    /// Sends, and reads the head only.
    pub(crate) async fn head(&self, path: &str) -> http::Response<Body> {
        self.service.call(Request::get(path).body(Full::<Bytes>::default()).unwrap()).await
    }
    /// Sends, leaves when the handler runs, and lets it go on.
    pub(crate) async fn leave(&self, path: &str) {
        let begun = async {
            while self.noted("handle") == 0 {
                self.sleep(1).await;
            }
        };
        match select(Box::pin(self.get(path)), pin!(begun)).await {
            Either::Left((answer, _)) => panic!("answered {answer:?}"),
            Either::Right(((), left)) => drop(left),
        }
        self.go_on();
    }
    /// Lets handlers end that wait for it.
    pub(crate) fn go_on(&self) {
        self.trace.lock().unwrap().push("go on".into());
    }
    /// How often user code has noted this so far.
    pub(crate) fn noted(&self, what: &str) -> usize {
        self.trace.lock().unwrap().iter().filter(|note| *note == what).count()
    }
    pub(crate) async fn sleep(&self, time: u64) {
        self.platform.sleep(Duration::from_millis(time)).await;
    }
    pub(crate) async fn idle(&self) {
        for _ in 0..1000 {
            if self.service.in_flight() == 0 {
                return;
            }
            self.sleep(2).await;
        }
        panic!("{:?}: {} in flight, trace {:?}", self.kind, self.service.in_flight(), self.trace.lock().unwrap());
    }
    /// What user code did, once nothing is in flight any more.
    pub(crate) async fn traced(&self) -> Vec<String> {
        self.idle().await;
        std::mem::take(&mut *self.trace.lock().unwrap())
    }
    /// What user code did, and what the log was told, once it was told so much.
    pub(crate) async fn traced_and_told(&self, lines: usize) -> (Vec<String>, Vec<String>) {
        let is_told = |event: &&String| event.starts_with("report ");
        for _ in 0..1000 {
            if self.trace.lock().unwrap().iter().filter(is_told).count() == lines {
                break;
            }
            self.sleep(2).await;
        }
        let (told, traced) = self.traced().await.into_iter().partition(|event| is_told(&event));
        (traced, told)
    }
    pub(crate) fn suspends(&self) -> bool {
        matches!(self.kind, Kind::Loop | Kind::Direct)
    }
}

/// Runs the scenario under each runtime.
pub(crate) fn each(spec: &Value, scenario: impl AsyncFn(&App)) {
    [Kind::Queue, Kind::Threads, Kind::Loop, Kind::Direct].into_iter().for_each(|kind| only(kind, spec, &scenario));
}

/// Runs the scenario; after it nothing may be in flight and no job may be left.
pub(crate) fn only(kind: Kind, spec: &Value, scenario: impl AsyncFn(&App)) {
    println!("--- {kind:?}");
    let (trace, begun, jobs) = (Trace::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let checked = async |app: &App| {
        scenario(app).await;
        app.idle().await;
        for _ in 0..1000 {
            if jobs.load(Ordering::Acquire) == 0 {
                return;
            }
            app.sleep(2).await;
        }
        panic!("{kind:?}: jobs are left");
    };
    let counters = (begun.clone(), jobs.clone());
    if kind == Kind::Direct {
        let platform = OneThread::new();
        let direct = Direct::install(platform.clone(), trace.clone(), counters);
        let app = App::new(kind, spec, direct, platform.clone(), trace, begun);
        platform.block_on(checked(&app), || DIRECT.with(|here| here.borrow().clone()).is_some_and(|here| here.turn()));
        DIRECT.set(None);
        return;
    }
    let io = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = io.enter();
    let platform = Arc::new(Tokio::new(tokio::runtime::Handle::current()));
    let host = Host::start(kind, platform.clone(), &trace, &counters);
    let app = App::new(kind, spec, host.runtime, platform, trace, begun);
    io.block_on(checked(&app));
    (host.close)();
    host.threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// The threads of a pretend host.
struct Host {
    runtime: Arc<dyn Runtime>,
    threads: Vec<JoinHandle<()>>,
    close: Box<dyn FnOnce()>,
}

impl Host {
    fn start(kind: Kind, platform: Arc<dyn Platform>, trace: &Trace, counters: &Counters) -> Self {
        if kind == Kind::Loop {
            let bell = Arc::new(Bell::default());
            let closing = bell.clone();
            let threads = vec![serve_loop(bell.clone(), platform, trace.clone(), counters.clone())];
            return Self { runtime: bell, threads, close: Box::new(move || closing.ring(|state| state.closed = true)) };
        }
        let queue = Arc::new(JobQueue::default());
        let closing = queue.clone();
        let count = if kind == Kind::Queue { 1 } else { 2 };
        let threads = (0..count).map(|_| serve_queue(queue.worker(), trace.clone(), counters.clone())).collect();
        Self { runtime: queue, threads, close: Box::new(move || closing.close()) }
    }
}

type Counters = (Arc<AtomicUsize>, Arc<AtomicUsize>);

/// Its state is `Rc`; nothing of the host ever leaves this thread.
fn serve_queue(worker: Arc<Worker>, trace: Trace, counters: Counters) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let engine = Rc::new(Engine::new(worker.clone(), None, trace, counters));
        loop {
            match worker.next() {
                Job::Start(work) => engine.start(work),
                Job::Woken => engine.woken(),
                Job::Closed => return,
            }
        }
    })
}

/// Wakes the loop of another thread.
#[derive(Default)]
pub(crate) struct Bell {
    state: Mutex<Rung>,
    bell: Condvar,
}
#[derive(Default)]
pub(crate) struct Rung {
    works: VecDeque<Work>,
    rung: bool,
    closed: bool,
}
impl Bell {
    fn ring(&self, change: impl FnOnce(&mut Rung)) {
        change(&mut self.state.lock().unwrap());
        self.bell.notify_one();
    }
}
impl Runtime for Bell {
    fn run(&self, work: Work) {
        self.ring(|state| state.works.push_back(work));
    }
    fn wake(&self) {
        self.ring(|state| state.rung = true);
    }
}

fn serve_loop(bell: Arc<Bell>, platform: Arc<dyn Platform>, trace: Trace, counters: Counters) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let engine = Engine::new(bell.clone(), Some(platform), trace, counters);
        loop {
            let works = {
                let mut state = bell
                    .bell
                    .wait_while(bell.state.lock().unwrap(), |state| {
                        !state.rung && !state.closed && state.works.is_empty()
                    })
                    .unwrap();
                if state.closed {
                    return;
                }
                state.rung = false;
                std::mem::take(&mut state.works)
            };
            works.into_iter().for_each(|work| engine.start(work));
            engine.woken();
        }
    })
}

thread_local! {
    static DIRECT: RefCell<Option<Rc<Here>>> = const { RefCell::new(None) };
}
struct Here {
    engine: Engine,
    works: RefCell<VecDeque<Work>>,
}
impl Here {
    /// What a microtask is in a browser: from the top of the stack, never inside a poll.
    fn turn(&self) -> bool {
        let work = self.works.borrow_mut().pop_front();
        let found = work.is_some() || self.engine.has_woken();
        work.into_iter().for_each(|work| self.engine.start(work));
        self.engine.woken();
        found
    }
}
/// `Send + Sync` because it is empty: what it names is thread-local.
struct Direct;
impl Direct {
    fn install(platform: Arc<dyn Platform>, trace: Trace, counters: Counters) -> Arc<dyn Runtime> {
        DIRECT.set(Some(Rc::new(Here {
            engine: Engine::new(Arc::new(Direct), Some(platform), trace, counters),
            works: RefCell::default(),
        })));
        Arc::new(Direct)
    }
}
impl Runtime for Direct {
    fn run(&self, work: Work) {
        DIRECT.with_borrow(|here| here.as_ref().unwrap().works.borrow_mut().push_back(work));
    }
    fn wake(&self) {} // `turn` looks anyway
}

/// The client's body: says whether and where it was read.
pub(crate) struct Watched(pub Arc<Mutex<Vec<std::thread::ThreadId>>>, pub Option<&'static str>);
impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = std::convert::Infallible;
    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0.lock().unwrap().push(std::thread::current().id());
        std::task::Poll::Ready(self.1.take().map(|text| Ok(http_body::Frame::data(Bytes::from(text)))))
    }
}
