//! Who is at the other end of a connection.

use std::net::SocketAddr;

use http::{header, request::Parts};

use crate::Departure;

/// The other end of the connection that a request came by: a proxy, where one stands before the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Of TCP.
    Address(SocketAddr),
    /// A program of the same machine, by a unix socket: it has no address.
    Local,
}

impl Peer {
    /// The peer of a request with these extensions: the one that was put there, else that of its connection. A request
    /// that came through no listener has none.
    pub fn of(extensions: &http::Extensions) -> Option<Self> {
        let given = extensions.get::<Self>().copied();
        given.or_else(|| extensions.get::<Departure>().and_then(Departure::peer))
    }

    /// Whether the client is on this machine: a peer that passes another client's request on is not.
    pub(crate) fn is_near(parts: &Parts) -> bool {
        let passed_on = parts.headers.contains_key(header::FORWARDED) || parts.headers.contains_key("x-forwarded-for");
        !passed_on
            && match Self::of(&parts.extensions) {
                Some(Self::Address(address)) => address.ip().to_canonical().is_loopback(),
                Some(Self::Local) | None => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_on_this_machine_is_near() {
        let near = |peer: Option<Peer>, field: Option<&'static str>| {
            let mut request = http::Request::new(());
            request.extensions_mut().extend(
                peer.map(|peer| {
                    let mut extensions = http::Extensions::new();
                    extensions.insert(peer);
                    extensions
                })
                .unwrap_or_default(),
            );
            if let Some(name) = field {
                request.headers_mut().insert(name, http::HeaderValue::from_static("203.0.113.9"));
            }
            Peer::is_near(&request.into_parts().0)
        };
        let at = |ip: &str| Some(Peer::Address(SocketAddr::new(ip.parse().unwrap(), 9)));
        assert!(
            [at("127.0.0.1"), at("::1"), at("::ffff:127.0.0.1"), Some(Peer::Local), None].map(|p| near(p, None))
                == [true; 5]
        );
        assert!([at("10.0.0.1"), at("::ffff:10.0.0.1"), at("2001:db8::1")].map(|p| near(p, None)) == [false; 3]);
        assert!(["x-forwarded-for", "forwarded"].map(|name| near(at("127.0.0.1"), Some(name))) == [false; 2]);
    }

    #[test]
    fn a_peer_that_was_put_there_goes_before_the_connections() {
        let mut extensions = http::Extensions::new();
        assert_eq!(Peer::of(&extensions), None);
        extensions.insert(Departure::of(Some(Peer::Local)));
        assert_eq!(Peer::of(&extensions), Some(Peer::Local));
        let given = Peer::Address(([10, 0, 0, 1], 9).into());
        extensions.insert(given);
        assert_eq!(Peer::of(&extensions), Some(given));
    }
}
