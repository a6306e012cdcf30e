//! Configuration that was read from text resolves like one that was built.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use spikard_core::config::{Config, Layers};

#[test]
fn numbers_read_from_text_reach_every_field() {
    let layers: Layers = serde_json::from_str(
        r#"{"call": {"threads": 7, "max_in_flight": 9, "request_timeout": 2.5}, "given": {}, "env": {}}"#,
    )
    .unwrap();
    let config = Config::resolve(&layers).unwrap();
    assert_eq!((config.host_side.threads, config.max_in_flight), (7, 9));
    assert_eq!(config.request_timeout, Some(2.5));
}
