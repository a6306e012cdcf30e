//! What a server says when it has started, once, however many workers it has.

use spikard_core::config::{Config, Layers};

/// One line: the version, the place, the number of workers, and the variables of the environment that count for nothing.
/// Before it, a line for each variable that nearly names a setting.
pub fn banner(layers: &Layers, config: &Config, location: &str) -> String {
    let misspelt = layers.misspelt().into_iter();
    let misspelt =
        misspelt.map(|(variable, meant)| format!("Spikard: {variable} names no setting, did you mean {meant}?\n"));
    let version = env!("CARGO_PKG_VERSION");
    let workers = if config.workers > 1 { format!(" with {} workers", config.workers) } else { String::new() };
    let mut remarks = vec!["Ctrl-C to stop".to_owned()];
    remarks.extend(layers.overruled().iter().map(|variable| format!("{variable} is overruled by an argument")));
    format!("{}Spikard {version} on {location}{workers} ({})", misspelt.collect::<String>(), remarks.join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_banner_names_place_workers_and_overruled_variables() {
        let said = json!({"call": {"workers": 2}, "given": {}, "env": {"SPIKARD_WORKERS": "8"}});
        let layers: Layers = serde_json::from_value(said).unwrap();
        let line = banner(&layers, &Config::resolve(&layers).unwrap(), "http://127.0.0.1:1");
        let version = env!("CARGO_PKG_VERSION");
        let rest = "on http://127.0.0.1:1 with 2 workers (Ctrl-C to stop; SPIKARD_WORKERS is overruled by an argument)";
        assert_eq!(line, format!("Spikard {version} {rest}"));
    }

    #[test]
    fn a_variable_that_nearly_names_a_setting_is_told() {
        let said = json!({"env": {"SPIKARD_PROT": "8", "SPIKARD_DATABASE_URL": "x"}});
        let layers: Layers = serde_json::from_value(said).unwrap();
        let told = banner(&layers, &Config::default(), "unix:a");
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines[0], "Spikard: SPIKARD_PROT names no setting, did you mean SPIKARD_PORT?");
        assert!(lines[1].ends_with("on unix:a (Ctrl-C to stop)") && lines.len() == 2, "{told}");
    }
}
