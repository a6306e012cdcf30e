//! The workers of a supervisor: which are there, which are to come, and what follows when one is ready, asks to be
//! replaced or ends. Everything happens on the supervisor's thread; one pair of threads per worker only reports.

use std::{
    collections::{HashMap, VecDeque},
    io::{Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    process::{Child, ExitStatus},
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use spikard_core::config::Config;

use super::{GRACE, Program, balance::Counts, program::word};
use crate::server::{Bound, accept::LEAVE, listen::Kind};

/// A worker that ends within this time was not well.
const STEADY: Duration = Duration::from_secs(5);
/// The pauses before another is started in place of one that was not: from the first to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Workers of one place that ended before they were ready, one after the other, until the supervisor gives up where
/// nobody serves.
const MOST_FALSE_STARTS: u32 = 6;

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A worker, by number, accepts connections.
    Ready(u64),
    /// It asks to be replaced.
    Retire(u64),
    Ended(u64),
    Replace,
    Stop,
}

#[derive(Debug)]
struct Worker {
    place: usize,
    child: Child,
    line: UnixStream,
    ready: Option<Instant>,
    killed_at: Option<Instant>,
}

/// One of the `workers` that there are to be.
#[derive(Debug, Default)]
struct Place {
    serving: Option<u64>,
    starting: Option<u64>,
    /// When the next one is to be started.
    due: Option<Instant>,
    /// Starts and ends in short order.
    faults: u32,
}

#[derive(Debug)]
pub(super) struct Crew {
    program: Program,
    listener: Option<Bound>,
    counts: Option<Counts>,
    drain: Duration,
    /// A change of a file is what a broken program waits for.
    reloads: bool,
    banner: Option<String>,
    events: Sender<Event>,
    workers: HashMap<u64, Worker>,
    next: u64,
    places: Vec<Place>,
    /// Places whose worker is to be replaced, and the one whose replacement is being started.
    queue: VecDeque<usize>,
    rolling: Option<usize>,
    stopping: bool,
    failed: bool,
}

impl Crew {
    pub(super) fn new(
        config: &Config,
        program: Program,
        listener: Bound,
        banner: String,
        events: Sender<Event>,
    ) -> Self {
        Self {
            places: (0..program.processes).map(|_| Place::default()).collect(),
            program,
            listener: Some(listener),
            counts: Counts::new().ok(),
            drain: Duration::try_from_secs_f64(config.shutdown_timeout).unwrap_or(Duration::MAX).saturating_add(GRACE),
            reloads: config.reload,
            banner: Some(banner),
            events,
            workers: HashMap::new(),
            next: 0,
            queue: VecDeque::new(),
            rolling: None,
            stopping: false,
            failed: false,
        }
    }

    /// The first worker goes ahead: it answers sooner alone, and what keeps it from starting is told once.
    pub(super) fn begin(&mut self) {
        if let Some(first) = self.places.first_mut() {
            first.due = Some(Instant::now());
        }
        self.look();
    }

    pub(super) fn is_over(&self) -> bool {
        self.stopping && self.workers.is_empty()
    }

    pub(super) fn has_succeeded(&self) -> bool {
        !self.failed
    }

    /// How long nothing is due.
    pub(super) fn patience(&self) -> Option<Duration> {
        let due = self.places.iter().filter_map(|place| place.due);
        let killed = self.workers.values().filter_map(|worker| worker.killed_at);
        due.chain(killed).min().map(|moment| moment.saturating_duration_since(Instant::now()))
    }

    pub(super) fn meet(&mut self, event: Event) {
        match event {
            Event::Ready(worker) => self.ready(worker),
            Event::Retire(worker) => self.retire(worker),
            Event::Ended(worker) => self.ended(worker),
            Event::Replace if !self.stopping => self.replace(),
            Event::Replace => {}
            Event::Stop => self.stop(),
        }
    }

    /// Does what is due.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        while let (None, Some(&place)) = (self.rolling, self.queue.front()) {
            // One that has been recycled meanwhile is replaced when it is ready.
            if self.places[place].starting.is_some() {
                break;
            }
            self.queue.pop_front();
            self.places[place].due = Some(now);
            self.places[place].faults = 0;
            self.rolling = Some(place);
        }
        for place in 0..self.places.len() {
            if self.places[place].due.is_some_and(|due| due <= now) {
                self.places[place].due = None;
                self.start(place);
            }
        }
        for worker in self.workers.values_mut().filter(|worker| worker.killed_at.is_some_and(|at| at <= now)) {
            say(&format!("worker {} did not end in time and is killed", worker.child.id()));
            let _ = worker.child.kill();
            worker.killed_at = None;
        }
    }

    fn start(&mut self, place: usize) {
        let Some(listener) = &self.listener else { return };
        let listener = match &listener.socket {
            Kind::Tcp(listener) => listener.as_fd(),
            Kind::Unix(listener) => listener.as_fd(),
        };
        let number = self.next;
        self.next += 1;
        let started = self.program.start(listener, (self.counts.as_ref(), place)).and_then(|(child, line)| {
            let ear = line.try_clone()?;
            report(number, &child, ear, self.events.clone())?;
            Ok(Worker { place, child, line, ready: None, killed_at: None })
        });
        match started {
            Ok(worker) => {
                self.workers.insert(number, worker);
                self.places[place].starting = Some(number);
            }
            Err(error) => self.false_start(place, &format!("a worker cannot be started: {error}")),
        }
    }

    fn ready(&mut self, number: u64) {
        let Some(worker) = self.workers.get_mut(&number) else { return };
        worker.ready = Some(Instant::now());
        let place = worker.place;
        if self.places[place].starting != Some(number) {
            return;
        }
        self.places[place].starting = None;
        self.rolling = self.rolling.filter(|rolling| *rolling != place);
        let before = self.places[place].serving.replace(number);
        if let Some(banner) = self.banner.take() {
            tell_people(&banner);
            let now = Instant::now();
            self.places.iter_mut().filter(|place| place.serving.is_none()).for_each(|place| place.due = Some(now));
        }
        if let Some(before) = before {
            // After a change of a file nobody wants one more answer of the old code.
            let word = if self.reloads { word::DRAIN } else { word::LEAVE };
            self.tell(before, word, self.drain.saturating_add(LEAVE));
        }
    }

    /// What has not begun to serve may be of the old code, and need not ever end its start: it makes way at once.
    fn replace(&mut self) {
        self.rolling = None;
        self.queue.clear();
        for number in 0..self.places.len() {
            if let Some(starting) = self.places[number].starting.take() {
                self.tell(starting, word::DRAIN, self.drain);
            }
            if self.places[number].serving.is_some() {
                self.queue.push_back(number);
            } else if number == 0 || self.banner.is_none() {
                self.places[number].due = Some(Instant::now());
                self.places[number].faults = 0;
            }
        }
    }

    fn retire(&mut self, number: u64) {
        let Some(place) = self.workers.get(&number).map(|worker| worker.place) else { return };
        let place = &mut self.places[place];
        if !self.stopping && place.serving == Some(number) && place.starting.is_none() {
            place.due = Some(Instant::now());
        }
    }

    fn ended(&mut self, number: u64) {
        let Some(mut worker) = self.workers.remove(&number) else { return };
        let status = worker.child.wait().ok();
        let how = described(&worker.child, status);
        if self.stopping {
            // What had not begun to serve was not cut off.
            self.failed |= worker.ready.is_some() && !status.is_some_and(|status| status.success());
            return;
        }
        let place = &mut self.places[worker.place];
        if place.starting == Some(number) {
            place.starting = None;
            self.false_start(worker.place, &format!("{how} before it was ready"));
        } else if place.serving == Some(number) {
            let steady = worker.ready.is_some_and(|since| since.elapsed() >= STEADY);
            place.serving = None;
            if let Some(counts) = &self.counts {
                counts.vacate(worker.place);
            }
            place.faults = if steady { 0 } else { place.faults.saturating_add(1) };
            if place.starting.is_none() {
                place.due = Some(Instant::now() + pause(place.faults));
            }
            say(&format!("{how}, another is started"));
        }
    }

    /// No worker has come of a start.
    fn false_start(&mut self, number: usize, how: &str) {
        let rolled = self.rolling == Some(number);
        self.rolling = self.rolling.filter(|_| !rolled);
        let alone = self.places.iter().all(|place| place.serving.is_none());
        let place = &mut self.places[number];
        place.faults = place.faults.saturating_add(1);
        if place.serving.is_some() && rolled {
            self.queue.clear();
            say(&format!("{how}, the workers that serve are kept"));
        } else if place.serving.is_none() && self.reloads {
            say(&format!("{how}, a change of a file starts it again"));
        } else if alone && (self.banner.is_some() || place.faults >= MOST_FALSE_STARTS) {
            let times = if place.faults > 1 { format!(", {} times in a row", place.faults) } else { String::new() };
            say(&format!("{how}{times}: given up"));
            self.failed = true;
            self.stop();
        } else {
            let pause = pause(place.faults);
            place.due = Some(Instant::now() + pause);
            say(&format!("{how}, another is started in {} s", pause.as_secs_f64()));
        }
    }

    fn stop(&mut self) {
        let (word, time) = if self.stopping { (word::ABORT, GRACE) } else { (word::DRAIN, self.drain) };
        self.failed |= self.stopping;
        self.stopping = true;
        self.listener = None;
        self.queue.clear();
        self.places.iter_mut().for_each(|place| place.due = None);
        for number in self.workers.keys().copied().collect::<Vec<_>>() {
            self.tell(number, word, time);
        }
    }

    fn tell(&mut self, number: u64, word: u8, time: Duration) {
        let Some(worker) = self.workers.get_mut(&number) else { return };
        // One that has gone is reported as ended.
        let _ = worker.line.write_all(&[word]);
        worker.killed_at = Instant::now().checked_add(time);
        if worker.ready.is_none() {
            // It does not listen to the line yet.
            let _ = kill_process(Pid::from_child(&worker.child), Signal::TERM);
        }
    }
}

/// Reports what a worker says, and its end, which leaves it to be reaped: its number stays its own until then.
fn report(number: u64, child: &Child, mut ear: UnixStream, events: Sender<Event>) -> std::io::Result<()> {
    let (pid, heard) = (Pid::from_child(child), events.clone());
    let hear = move || {
        let mut word = [0];
        while ear.read_exact(&mut word).is_ok() {
            let event = match word[0] {
                word::READY => Event::Ready(number),
                word::RETIRE => Event::Retire(number),
                _ => continue,
            };
            let _ = heard.send(event);
        }
    };
    let wait = move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == rustix::io::Errno::INTR) {}
        let _ = events.send(Event::Ended(number));
    };
    std::thread::Builder::new().name("spikard-line".into()).spawn(hear)?;
    std::thread::Builder::new().name("spikard-wait".into()).spawn(wait)?;
    Ok(())
}

fn pause(faults: u32) -> Duration {
    if faults == 0 { Duration::ZERO } else { LONGEST_PAUSE.min(PAUSE * 2u32.saturating_pow(faults - 1)) }
}

fn described(child: &Child, status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let how = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("ended with status {code}"),
        Some((None, Some(signal))) => format!("was ended by signal {signal}"),
        _ => "ended".into(),
    };
    format!("worker {} {how}", child.id())
}

fn say(what: &str) {
    tell_people(&format!("Spikard: {what}"));
}

/// Nobody may listen any more: a supervisor goes on all the same.
fn tell_people(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
