//! The files of the corpus.

use std::{fs, path::PathBuf};

use crate::json::Json;

/// One file of the corpus.
pub struct Case {
    pub area: String,
    pub name: String,
    pub json: Json,
}

/// `testing_data/`.
pub fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testing_data")
}

/// A JSON file of the corpus.
pub fn read(path: &PathBuf) -> Json {
    let text = fs::read(path).expect("the corpus can be read");
    Json::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every case, by area and name.
pub fn all() -> Vec<Case> {
    let mut cases: Vec<Case> = entries(&corpus().join("http"))
        .iter()
        .flat_map(entries)
        .map(|path| Case { area: stem(path.parent().expect("an area")), name: stem(&path), json: read(&path) })
        .collect();
    cases.sort_by(|one, two| (&one.area, &one.name).cmp(&(&two.area, &two.name)));
    cases
}

fn entries(folder: &PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

fn stem(path: impl AsRef<std::path::Path>) -> String {
    path.as_ref().file_stem().expect("a name").to_string_lossy().into_owned()
}

impl Case {
    /// Its place, as lists of known failures name it.
    pub fn place(&self) -> String {
        format!("{}/{}", self.area, self.name)
    }

    pub fn routes(&self) -> &[Json] {
        self.json.get("app").and_then(|app| app.get("routes")).map(Json::items).expect("a valid case")
    }

    pub fn exchanges(&self) -> &[Json] {
        self.json.get("exchanges").map(Json::items).expect("a valid case")
    }

    pub fn has_feature(&self, name: &str) -> bool {
        self.json.get("features").expect("a valid case").items().contains(&Json::from(name))
    }

    /// Every answer that it expects, pipelined ones too.
    pub fn expectations(&self) -> impl Iterator<Item = &Json> {
        self.exchanges().iter().filter_map(|exchange| exchange.get("expect")).flat_map(|expect| {
            let then = expect.get("then").map_or(&[][..], Json::items);
            std::iter::once(expect).chain(then)
        })
    }
}
