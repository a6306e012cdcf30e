//! The specification as a document: what is refused, and its committed JSON Schema.

use spikard_core::spec::AppSpec;

#[test]
fn an_unknown_field_is_refused_with_its_place() {
    let error = AppSpec::from_json(br#"{"routes": [{"method": "GET", "path": "/", "handler": 0, "paht": 1}]}"#);
    let message = error.unwrap_err().message;
    assert!(message.starts_with("the app specification at routes[0]") && message.contains("`paht`"), "{message}");
}

#[test]
fn another_version_of_the_boundary_is_refused() {
    let message = AppSpec::from_json(br#"{"boundary": 99}"#).unwrap_err().message;
    assert_eq!(message, "the app specification is of boundary 99, the core speaks 1");
    assert!(AppSpec::from_json(br#"{"boundary": 1}"#).is_ok());
}

/// `UPDATE=1 cargo test -p spikard-core --features json-schema --test app_spec` writes it anew.
#[cfg(feature = "json-schema")]
#[test]
fn the_committed_json_schema_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/app-spec.schema.json");
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(AppSpec)).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == schema, "app-spec.schema.json is not up to date: run this test with UPDATE=1");
}
