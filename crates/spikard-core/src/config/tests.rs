//! Layers, variables and bounds.

use serde_json::json;

use super::*;

fn layers(layers: Value) -> Layers {
    serde_json::from_value(layers).unwrap()
}

#[test]
fn a_call_goes_before_the_object_before_the_environment_before_the_default() {
    let said = json!({"call": {"port": 1}, "given": {"port": 2, "host": "h"},
        "env": {"SPIKARD_PORT": "3", "SPIKARD_HOST": "e", "SPIKARD_THREADS": "4", "SPIKARD_OTHER": "x"}});
    let config = Config::resolve(&layers(said)).unwrap();
    assert_eq!((config.port, config.host.as_str(), config.host_side.threads), (1, "h", 4));
    assert_eq!(config.keep_alive, Some(75.0));
}

#[test]
fn a_variable_that_says_something_else_is_overruled() {
    let said = json!({"call": {"port": 1, "reload": true}, "given": {"host": "h", "workers": 2},
        "env": {"SPIKARD_PORT": "3", "SPIKARD_HOST": "h", "SPIKARD_RELOAD": "yes", "SPIKARD_WORKERS": "4",
                "SPIKARD_BACKLOG": "9", "OTHER": "x"}});
    assert_eq!(layers(said).overruled(), ["SPIKARD_PORT", "SPIKARD_WORKERS"]);
}

#[test]
fn a_variable_that_nearly_names_a_field_is_known_with_the_one_that_may_be_meant() {
    let said = layers(json!({"env": {"SPIKARD_PROT": "1", "SPIKARD_WORKER": "2", "SPIKARD_PORT": "3",
        "SPIKARD_KEEPALIVE": "4", "SPIKARD_DATABASE_URL": "5", "SPIKARD_THREADS": "6", "OTHER": "7"}}));
    let meant: Vec<_> = said.misspelt().into_iter().map(|(name, meant)| format!("{name} {meant}")).collect();
    assert_eq!(
        meant,
        ["SPIKARD_PROT SPIKARD_PORT", "SPIKARD_WORKER SPIKARD_WORKERS", "SPIKARD_KEEPALIVE SPIKARD_KEEP_ALIVE",]
    );
}

#[test]
fn null_lifts_a_limit_from_every_layer() {
    let said = json!({"given": {"max_body_size": null}, "env": {"SPIKARD_REQUEST_TIMEOUT": "none"}});
    let config = Config::resolve(&layers(said)).unwrap();
    assert_eq!((config.max_body_size, config.request_timeout), (None, None));
}

// covers config: graceful_shutdown
#[test]
fn a_shut_down_that_is_not_graceful_has_no_time() {
    let patience = |said| Config::resolve(&layers(said)).unwrap().shutdown_timeout.to_bits();
    let zero = 0.0_f64.to_bits();
    assert_eq!(patience(json!({"given": {"graceful_shutdown": false, "shutdown_timeout": 5}})), zero);
    assert_eq!(patience(json!({"env": {"SPIKARD_GRACEFUL_SHUTDOWN": "false"}})), zero);
    assert_eq!(patience(json!({"given": {"graceful_shutdown": true, "shutdown_timeout": 5}})), 5.0_f64.to_bits());
}

#[test]
fn a_value_that_does_not_fit_names_its_field_or_variable_and_says_what_does() {
    let cases = [
        (json!({"given": {"port": 70000}}), "port: must be a whole number from 0 to 65535, got 70000"),
        (json!({"given": {"port": "80"}}), "port: must be a whole number from 0 to 65535, got \"80\""),
        (json!({"given": {"threads": 0}}), "threads: must be a whole number from 1 to 65535, got 0"),
        (json!({"given": {"backlog": 4_294_967_296_u64}}), "backlog: must be a whole number from 0 to 2147483647, got"),
        (json!({"given": {"max_json_depth": 128}}), "max_json_depth: must be a whole number from 1 to 127, got 128"),
        (
            json!({"given": {"max_requests": 1.5}}),
            "max_requests: must be a whole number from 1 to 9007199254740991, or none",
        ),
        (json!({"given": {"keep_alive": -1}}), "keep_alive: must be more than 0 and at most 31536000 seconds, or none"),
        (
            json!({"call": {"keep_alive": 1e300}}),
            "keep_alive: must be more than 0 and at most 31536000 seconds, or none",
        ),
        (
            json!({"given": {"shutdown_timeout": null}}),
            "shutdown_timeout: must be at least 0 and at most 31536000 seconds",
        ),
        (json!({"given": {"debug": 1}}), "debug: must be true or false, got 1"),
        (json!({"given": {"host": ""}}), "host: must be text, and not empty, got \"\""),
        (
            json!({"env": {"SPIKARD_PORT": "many"}}),
            "SPIKARD_PORT: must be a whole number from 0 to 65535, got \"many\"",
        ),
        (
            json!({"env": {"SPIKARD_ACCESS_LOG": "jsn"}}),
            "SPIKARD_ACCESS_LOG: must be true, false, combined or json, got",
        ),
        (json!({"call": {"trailing_slash": "maybe"}}), "trailing_slash: must be one of redirect, strict, ignore, got"),
        (
            json!({"given": {"background_tasks": 5}}),
            "background_tasks: must be an object, true or false, or none, got 5",
        ),
        (
            json!({"given": {"background_tasks": {"max_queue": 0}}}),
            "background_tasks: max_queue must be a whole number",
        ),
        (
            json!({"given": {"background_tasks": {"drain_timeout": -1}}}),
            "background_tasks: drain_timeout must be at least 0",
        ),
        (json!({"given": {"background_tasks": {"max_quue": 1}}}), "background_tasks: unknown field `max_quue`"),
        (json!({"given": {"prot": 1}}), "there is no configuration field \"prot\", did you mean \"port\"?"),
        (json!({"call": {"logger": true}}), "there is no configuration field \"logger\""),
    ];
    for (said, start) in cases {
        let message = Config::resolve(&layers(said)).unwrap_err().message;
        assert!(message.starts_with(start), "{message}");
    }
}

#[test]
fn a_variable_is_read_as_its_field_is() {
    let read = |field: &str, text: &str| {
        let variable = format!("SPIKARD_{}", field.to_ascii_uppercase());
        let resolved = Config::resolve(&layers(json!({"env": {variable: text}}))).unwrap();
        serde_json::to_value(resolved).unwrap()[field].take()
    };
    for (field, text, value) in [
        ("upload_dir", "5", json!("5")),
        ("upload_dir", "none", json!(null)),
        ("host", "none", json!("none")),
        ("host", "", json!("127.0.0.1")),
        ("max_body_size", " ", json!(10_485_760)),
        ("max_body_size", "None", json!(null)),
        ("workers", " 4 ", json!(4)),
        ("reload", " Yes ", json!(true)),
        ("trailing_slash", "Strict", json!("strict")),
        ("access_log", "On", json!(true)),
        ("access_log", "JSON", json!("json")),
        ("keep_alive", "20", json!(20.0)),
        ("background_tasks", "off", json!(null)),
        ("background_tasks", "on", json!({"max_queue": 1024, "max_concurrent": 128, "drain_timeout": 30.0})),
        (
            "background_tasks",
            r#"{"max_queue": 3}"#,
            json!({"max_queue": 3, "max_concurrent": 128, "drain_timeout": 30.0}),
        ),
    ] {
        assert_eq!(read(field, text), value, "{field}={text}");
    }
}

#[test]
fn what_means_the_same_overrules_nothing() {
    let said = json!({"given": {"keep_alive": 75, "background_tasks": true, "reload": false},
        "env": {"SPIKARD_KEEP_ALIVE": "75.0", "SPIKARD_BACKGROUND_TASKS": "on", "SPIKARD_RELOAD": ""}});
    assert_eq!(layers(said).overruled(), [""; 0]);
}

#[test]
fn every_field_takes_its_own_default() {
    let Value::Object(defaults) = serde_json::to_value(Config::default()).unwrap() else { unreachable!() };
    for (name, default) in defaults {
        assert_eq!(Field::named(&name).checked(&default), Ok(default), "{name}");
    }
}
