//! Who is at the other end of a connection.

use std::net::SocketAddr;

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
}

#[cfg(test)]
mod tests {
    use super::*;

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
