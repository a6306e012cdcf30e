//! The access log: one line for each request, written when the last byte of its answer is on its way. Off, there is
//! none of it; a connection's own refusals of a head that it cannot read are not in it.

use std::{fmt::Write as _, sync::Arc, time::Duration};

#[cfg(feature = "server")]
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header};
use serde_json::json;
use spikard_core::{RequestId, config::AccessLog as Form};

use crate::{departure::Departure, peer::Peer, platform::Platform};

/// What nginx, too, writes of a client who left before there was an answer.
const CLIENT_LEFT: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => panic!("499 is a status"),
};

/// Where the lines of one service go.
pub(crate) struct AccessLog {
    form: Form,
    platform: Arc<dyn Platform>,
}

/// What a line says of a request's head.
pub(crate) struct Asked<'a> {
    method: &'a Method,
    target: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> Asked<'a> {
    pub(crate) fn of<B>(request: &'a http::Request<B>) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        Self { method: request.method(), target: request.uri(), version: request.version(), headers, extensions }
    }

    #[cfg(feature = "server")]
    pub(crate) fn of_head(head: &'a Parts) -> Self {
        let (headers, extensions) = (&head.headers, &head.extensions);
        Self { method: &head.method, target: &head.uri, version: head.version, headers, extensions }
    }
}

/// One request, from its head on. Its line is written when it is dropped.
pub(crate) struct Entry {
    log: Arc<AccessLog>,
    began: Duration,
    peer: Option<Peer>,
    method: Method,
    target: Uri,
    version: Version,
    referer: Option<HeaderValue>,
    agent: Option<HeaderValue>,
    route: Option<Arc<str>>,
    id: Option<RequestId>,
    status: StatusCode,
    bytes: u64,
}

impl AccessLog {
    /// None: it is off.
    pub(crate) fn of(form: Form, platform: &Arc<dyn Platform>) -> Option<Arc<Self>> {
        (form != Form::Off).then(|| Arc::new(Self { form, platform: platform.clone() }))
    }

    /// The line of a request with this head.
    pub(crate) fn entry(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        departure: Option<&Departure>,
        id: Option<RequestId>,
    ) -> Box<Entry> {
        let field = |name: HeaderName| asked.headers.get(name).cloned();
        Box::new(Entry {
            log: self.clone(),
            began: self.platform.now(),
            peer: Peer::of(asked.extensions).or_else(|| departure.and_then(Departure::peer)),
            method: asked.method.clone(),
            target: asked.target.clone(),
            version: asked.version,
            referer: field(header::REFERER),
            agent: field(header::USER_AGENT),
            route: None,
            id,
            status: CLIENT_LEFT,
            bytes: 0,
        })
    }
}

impl Entry {
    pub(crate) fn matched(&mut self, route: &Arc<str>) {
        self.route = Some(route.clone());
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = status;
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    fn client(&self) -> String {
        match self.peer {
            Some(Peer::Address(address)) => address.ip().to_canonical().to_string(),
            Some(Peer::Local) => "unix".into(),
            None => "-".into(),
        }
    }

    fn line(&self) -> String {
        let platform = &self.log.platform;
        let (now, took) = (platform.unix_time(), platform.now().saturating_sub(self.began));
        match self.log.form {
            Form::Json => self.json(now, took),
            Form::Combined => self.combined(now),
            Form::Plain | Form::Off => self.plain(now, took),
        }
    }

    fn plain(&self, now: Duration, took: Duration) -> String {
        let (client, status, bytes, id) = (self.client(), self.status.as_u16(), self.bytes, self.id());
        let (target, took) = (Escaped(self.target.to_string().as_bytes()).to_string(), milliseconds(took));
        format!("{} {client} {} {target} {status} {bytes} B {took} ms {id}", rfc3339(now), self.method)
    }

    /// As Apache's `combined`.
    fn combined(&self, now: Duration) -> String {
        let (client, status, bytes) = (self.client(), self.status.as_u16(), self.bytes);
        let (target, version) = (Escaped(self.target.to_string().as_bytes()).to_string(), self.version);
        let quoted = |field: &Option<HeaderValue>| match field {
            Some(value) => Escaped(value.as_bytes()).to_string(),
            None => "-".into(),
        };
        let (referer, agent) = (quoted(&self.referer), quoted(&self.agent));
        let when = clf(now);
        let asked = format!("{} {target} {version:?}", self.method);
        format!("{client} - - [{when}] \"{asked}\" {status} {bytes} \"{referer}\" \"{agent}\"")
    }

    fn json(&self, now: Duration, took: Duration) -> String {
        let text = |field: &Option<HeaderValue>| {
            field.as_ref().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let peer = Some(self.client()).filter(|client| client != "-");
        json!({
            "time": rfc3339(now), "client": peer, "method": self.method.as_str(), "target": self.target.to_string(),
            "version": format!("{:?}", self.version), "status": self.status.as_u16(), "bytes": self.bytes,
            "duration_ms": milliseconds(took).parse::<f64>().unwrap_or_default(), "route": self.route.as_deref(),
            "request_id": self.id.as_ref().map(ToString::to_string),
            "referer": text(&self.referer), "user_agent": text(&self.agent),
        })
        .to_string()
    }

    fn id(&self) -> String {
        self.id.as_ref().map_or_else(|| "-".into(), ToString::to_string)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.log.platform.log(self.line());
    }
}

/// Text of a client, of which nothing ends the line or its quotes, and no terminal is told anything.
struct Escaped<'a>(&'a [u8]);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(byte)),
            b' '..=b'~' => f.write_char(char::from(byte)),
            _ => write!(f, "\\x{byte:02x}"),
        })
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_millis(), time.subsec_micros() % 1000)
}

/// `2026-11-21T19:30:00.123Z`
fn rfc3339(since_1970: Duration) -> String {
    let Date { year, month, day } = Date::of(since_1970);
    format!("{year:04}-{month:02}-{day:02}T{}.{:03}Z", clock(since_1970), since_1970.subsec_millis())
}

/// `21/Nov/2026:19:30:00 +0000`
fn clf(since_1970: Duration) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Date { year, month, day } = Date::of(since_1970);
    format!("{day:02}/{}/{year:04}:{} +0000", MONTHS[month as usize - 1], clock(since_1970))
}

fn clock(since_1970: Duration) -> String {
    let second = since_1970.as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    /// The proleptic Gregorian calendar in years that begin in March, so that a leap day is the last of its year.
    fn of(since_1970: Duration) -> Self {
        const DAYS_TO_1970: u64 = 719_468; // since 1 March of the year 0
        const ERA: u64 = 146_097; // the days of 400 years
        let days = since_1970.as_secs() / 86_400 + DAYS_TO_1970;
        let (era, of_era) = (days / ERA, days % ERA);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        Self { year: year + era * 400 + u64::from(month <= 2), month, day }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_calendar_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_709_251_199, "2024-02-29T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_millis(seconds * 1000 + 7)), text);
        }
        assert_eq!(clf(Duration::from_secs(784_111_777)), "06/Nov/1994:08:49:37 +0000");
    }

    #[test]
    fn nothing_that_a_client_sends_ends_a_line() {
        assert_eq!(Escaped(b"a\"b\\c\r\n\x1b\xff ~").to_string(), "a\\\"b\\\\c\\x0d\\x0a\\x1b\\xff ~");
        assert_eq!(milliseconds(Duration::from_micros(12_034)), "12.034");
    }
}
