//! The ways into an app: the service itself, a real socket, and for raw bytes a connection in memory.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use spikard_http::{Platform, Service, Tokio, server, testing};
use tokio::{
    io::{AsyncRead, AsyncWrite, duplex},
    net::TcpStream,
    task::JoinHandle,
};

use crate::{
    app::build,
    case::Case,
    expect,
    fault::Fault,
    host::Host,
    json::Json,
    wire::{Answer, Connection},
};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    InProcess,
    Socket,
}

impl Door {
    pub const ALL: [Self; 2] = [Self::InProcess, Self::Socket];

    pub fn name(self) -> &'static str {
        match self {
            Self::InProcess => "in-process",
            Self::Socket => "socket",
        }
    }
}

/// Tells a whole case through one door, on an app of its own.
pub async fn tell(case: &Case, models: &Json, door: Door) -> Result<(), Fault> {
    let (spec, routes) = build(case, models).map_err(|error| Fault::from(error).at("the app is refused"))?;
    let host = Host::start(routes);
    let platform: Arc<dyn Platform> = Arc::new(Tokio::new(tokio::runtime::Handle::current()));
    let service = Service::new(&spec, host.queue.clone(), platform)
        .map_err(|error| Fault::from(error).at("the app is refused"))?;
    let _ = host.apart.set(service.apart().clone());
    let home = tokio::spawn(service.bring_home());
    let mut visit = Visit { service, door, server: None, kept: None };
    let mut told = Ok(());
    for (number, exchange) in case.exchanges().iter().enumerate() {
        let (request, expect) = (exchange.get("request"), exchange.get("expect"));
        let (Some(request), Some(expect)) = (request, expect) else { return Err(Fault::new("no exchange")) };
        told = visit.exchange(request, expect).await.map_err(|fault| fault.at(format_args!("exchange {number}")));
        if told.is_err() {
            break;
        }
    }
    visit.leave().await;
    home.abort();
    told
}

struct Visit {
    service: Service,
    door: Door,
    server: Option<(SocketAddr, server::Shutdown, JoinHandle<server::Drained>)>,
    /// The connection that requests of the socket's door share.
    kept: Option<Connection<TcpStream>>,
}

impl Visit {
    async fn exchange(&mut self, request: &Json, expect: &Json) -> Result<(), Fault> {
        if let Some(bytes) = raw(request) {
            let ends = request.get("end") == Some(&Json::Bool(true));
            if self.door == Door::Socket {
                return tell_raw(Connection::new(self.connect().await?), &bytes, ends, expect).await;
            }
            let (client, wire) = duplex(1 << 20);
            let connection = tokio::spawn(server::serve_connection(self.service.clone(), wire));
            let told = tell_raw(Connection::new(client), &bytes, ends, expect).await;
            connection.abort();
            return told;
        }
        let request = Request::read(request);
        let answer = match self.door {
            Door::InProcess => self.in_process(&request).await?,
            Door::Socket => self.over_socket(&request).await?,
        };
        expect::check(expect, &answer)
    }

    async fn in_process(&self, request: &Request) -> Result<Answer, Fault> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.target.as_str());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let sent = builder.body(Bytes::from(request.body.clone().unwrap_or_default()));
        let answer = testing::send(&self.service, sent?).await;
        let (head, body) = answer.ok_or_else(|| Fault::new("the answer broke off"))?.into_parts();
        let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().iter().map(|byte| char::from(*byte)).collect())
        };
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(field).collect(),
            body: body.to_vec(),
        })
    }

    async fn over_socket(&mut self, request: &Request) -> Result<Answer, Fault> {
        let mut connection = match self.kept.take() {
            Some(kept) => kept,
            None => Connection::new(self.connect().await?),
        };
        connection.send(&request.to_bytes()).await;
        let answer = connection.answer(request.method == "HEAD").await?;
        if answer.all("connection") != ["close"] {
            self.kept = Some(connection);
        }
        Ok(answer)
    }

    async fn connect(&mut self) -> Result<TcpStream, Fault> {
        if self.server.is_none() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
            let address = listener.local_addr()?;
            let shutdown = server::Shutdown::new();
            let served = tokio::spawn(server::serve(self.service.clone(), listener, shutdown.clone()));
            self.server = Some((address, shutdown, served));
        }
        let (address, ..) = self.server.as_ref().expect("started above");
        Ok(TcpStream::connect(address).await?)
    }

    async fn leave(self) {
        drop(self.kept);
        if let Some((_, shutdown, served)) = self.server {
            shutdown.abort();
            shutdown.begin();
            let _ = served.await;
        }
    }
}

fn raw(request: &Json) -> Option<Vec<u8>> {
    match (request.text_of("raw"), request.text_of("raw_base64")) {
        (Some(text), _) => Some(text.chars().map(|c| u8::try_from(c).expect("a valid case")).collect()),
        (None, Some(text)) => Some(STANDARD.decode(text).expect("a valid case")),
        (None, None) => None,
    }
}

async fn tell_raw<S: AsyncRead + AsyncWrite + Unpin>(
    mut connection: Connection<S>,
    bytes: &[u8],
    ends: bool,
    expect: &Json,
) -> Result<(), Fault> {
    connection.send(bytes).await;
    if ends {
        connection.end().await;
    }
    let to_head = bytes.starts_with(b"HEAD ");
    expect::check(expect, &connection.answer(to_head).await?)?;
    for (number, next) in expect.get("then").map_or(&[][..], Json::items).iter().enumerate() {
        let answer = connection.answer(false).await?;
        expect::check(next, &answer).map_err(|fault| fault.at(format_args!("answer {}", number + 1)))?;
    }
    match expect.get("closed") {
        Some(Json::Bool(true)) if !connection.is_closed().await? => Err(Fault::new("the server goes on talking")),
        Some(Json::Bool(false)) => {
            connection.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
            connection.answer(false).await.map(drop).map_err(|fault| fault.at("a further request"))
        }
        _ => Ok(()),
    }
}

/// A request that is not raw.
struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// Both doors send the same fields.
    fn read(json: &Json) -> Self {
        let text = |name| json.text_of(name).expect("a valid case").to_owned();
        let pairs = |name| json.get(name).map_or(&[][..], Json::items).iter().filter_map(pair).collect::<Vec<_>>();
        let mut headers = pairs("headers");
        let names = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let (body, content_type) = if let Some(body) = json.get("body") {
            (Some(body.to_string().into_bytes()), "application/json")
        } else if json.get("form").is_some() {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(pairs("form"));
            (Some(form.finish().into_bytes()), "application/x-www-form-urlencoded")
        } else if let Some(body) = json.text_of("body_text") {
            (Some(body.as_bytes().to_vec()), "")
        } else {
            (json.text_of("body_base64").map(|body| STANDARD.decode(body).expect("a valid case")), "")
        };
        if !content_type.is_empty() && !names(&headers, "content-type") {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        if !names(&headers, "host") {
            headers.insert(0, ("host".to_owned(), "localhost".to_owned()));
        }
        if let Some(body) = &body
            && !names(&headers, "content-length")
        {
            headers.push(("content-length".to_owned(), body.len().to_string()));
        }
        Self { method: text("method"), target: text("target"), headers, body }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

fn pair(json: &Json) -> Option<(String, String)> {
    match json.items() {
        [Json::Text(name), Json::Text(value)] => Some((name.clone(), value.clone())),
        _ => None,
    }
}
