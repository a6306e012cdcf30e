//! Who is at the other end of a connection.

use std::net::{IpAddr, SocketAddr};

use http::{header, request::Parts, uri::Authority};

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

    /// The same, as host and port, where it has an address.
    pub fn address(extensions: &http::Extensions) -> Option<(String, u16)> {
        match Self::of(extensions)? {
            Self::Address(address) => Some((address.ip().to_string(), address.port())),
            Self::Local => None,
        }
    }

    /// Whether the client is on this machine, as far as that can be known: it came by loopback, asks for this machine by
    /// a name of its own, and nobody says that the request was passed on. By a unix socket come proxies.
    pub(crate) fn is_near(parts: &Parts) -> bool {
        let passed_on = parts.headers.contains_key(header::FORWARDED) || parts.headers.contains_key("x-forwarded-for");
        !passed_on
            && match Self::of(&parts.extensions) {
                Some(Self::Address(address)) => address.ip().to_canonical().is_loopback() && asks_for_loopback(parts),
                Some(Self::Local) => false,
                None => true,
            }
    }
}

/// Whether the host that is asked for is `localhost`, a name below it, or a loopback address.
fn asks_for_loopback(parts: &Parts) -> bool {
    let field = || parts.headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let Some(host) = parts.uri.authority().cloned().or_else(field) else { return false };
    let name = host.host().trim_matches(['[', ']']);
    name.parse().map_or_else(
        |_| name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost"),
        |ip: IpAddr| ip.to_canonical().is_loopback(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(peer: impl Into<Option<Peer>>, fields: &[(&'static str, &'static str)]) -> bool {
        let mut request = http::Request::new(());
        if let Some(peer) = peer.into() {
            request.extensions_mut().insert(peer);
        }
        for (name, value) in fields {
            request.headers_mut().insert(*name, http::HeaderValue::from_static(value));
        }
        Peer::is_near(&request.into_parts().0)
    }

    fn at(ip: &str) -> Peer {
        Peer::Address(SocketAddr::new(ip.parse().unwrap(), 9))
    }

    #[test]
    fn only_a_client_on_this_machine_is_near() {
        let host = [("host", "localhost:8000")];
        assert!([at("127.0.0.1"), at("::1"), at("::ffff:127.0.0.1")].map(|p| near(p, &host)) == [true; 3]);
        assert!(near(None, &host));
        assert!([at("10.0.0.1"), at("::ffff:10.0.0.1"), at("2001:db8::1")].map(|p| near(p, &host)) == [false; 3]);
    }

    #[test]
    fn a_client_whose_request_was_passed_on_is_not_near() {
        for name in ["x-forwarded-for", "forwarded"] {
            assert!(!near(at("127.0.0.1"), &[("host", "localhost"), (name, "203.0.113.9")]));
        }
        assert!(!near(Peer::Local, &[("host", "localhost")]));
    }

    #[test]
    fn whoever_asks_for_another_name_is_not_near() {
        for own in ["localhost", "LOCALHOST:80", "shop.localhost:8000", "127.0.0.1:8000", "127.1.2.3", "[::1]:80"] {
            assert!(near(at("127.0.0.1"), &[("host", own)]), "{own}");
        }
        for other in ["shop.example", "app", "10.0.0.1:8000", "notlocalhost", "[2001:db8::1]:80", ""] {
            assert!(!near(at("127.0.0.1"), &[("host", other)]), "{other}");
        }
        assert!(!near(at("127.0.0.1"), &[]));
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
