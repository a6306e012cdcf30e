//! Takes a body apart for user code that has read it whole, by the rules and the limits of a route that binds it.

use std::sync::Arc;

use http::request::Parts;
use spikard_core::{
    Entries, Entry, Error,
    config::Config,
    plan::{check_json, form_boundary, read_pairs},
    sabotage,
};

use crate::{
    decode::form::{self, FormLimits},
    platform::Platform,
};

/// What an app's bodies may be.
#[derive(Clone)]
pub struct Apart {
    limits: FormLimits,
    max_depth: usize,
    platform: Arc<dyn Platform>,
}

impl Apart {
    pub(crate) fn new(config: &Config, platform: Arc<dyn Platform>) -> Self {
        Self { limits: FormLimits::of(config), max_depth: config.max_json_depth, platform }
    }

    /// Refuses what is no JSON.
    pub fn check_json(&self, body: &[u8]) -> Result<(), Error> {
        check_json(body, self.max_depth)
    }

    /// The fields and files of a form, as the request says that it is written. Files stay in memory.
    pub fn form(&self, body: &[u8], parts: &Parts) -> Result<Entries, Error> {
        let entries = match form_boundary(parts)? {
            // As everywhere, an empty body is none.
            Some(_) if body.is_empty() => Ok(Entries::new()),
            Some(boundary) => form::whole(body, &boundary, &self.limits, &self.platform),
            None => read_pairs(body),
        };
        if sabotage::takes_out("bodies") {
            return Ok(vec![("sabotage".to_owned(), Entry::Text("sabotage".to_owned()))]);
        }
        entries
    }
}
