//! Dependencies: what the document says of them, and what their code does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use spikard_core::{Error, HostId, Outcome, SpecError};

use crate::{
    app::{Argument, parameters},
    case::Case,
    host::Code,
    json::Json,
    script,
};

/// The number of the first dependency's provider; the lower ones are routes.
pub const PROVIDERS: usize = 1000;

/// The code of one dependency.
pub struct Dependency {
    pub arguments: Vec<Argument>,
    name: String,
    words: Json,
    generator: bool,
    translate: Option<Json>,
    fails: Option<Json>,
}

/// What the dependencies of one app have made.
#[derive(Default)]
pub struct Made(Mutex<State>);

#[derive(Default)]
struct State {
    /// By their ids: the value, and whose it is.
    values: Vec<(Json, usize)>,
    /// Of every attempt.
    counts: Vec<usize>,
}

fn listed(case: &Case) -> &[Json] {
    case.json.get("app").and_then(|app| app.get("dependencies")).map_or(&[][..], Json::items)
}

/// What the document has of a case's dependencies; what they do goes to `code`.
pub fn dependencies(case: &Case, code: &mut Vec<Dependency>) -> Result<Vec<Value>, SpecError> {
    let mut documents = Vec::new();
    for (number, spec) in listed(case).iter().enumerate() {
        let (sent, mut wired, mut arguments) = parameters(spec)?;
        take(case, spec, &mut wired, &mut arguments);
        let word = spec.get("provide").expect("a valid case");
        if word.get("constant").is_none() {
            let mut document = json!({"name": spec.text_of("name"), "provider": PROVIDERS + number,
                "parameters": sent, "arguments": wired, "dependencies": needs(case, spec)});
            for member in ["scope", "generator", "ends", "concurrent"] {
                if let Some(value) = spec.get(member) {
                    document[member] = value.to_value();
                }
            }
            documents.push(document);
        }
        code.push(Dependency {
            arguments,
            name: spec.text_of("name").expect("a valid case").to_owned(),
            words: word.clone(),
            generator: spec.get("generator") == Some(&Json::Bool(true)),
            translate: spec.get("translate").cloned(),
            fails: spec.get("fails").cloned(),
        });
    }
    Ok(documents)
}

fn names<'a>(spec: &'a Json, member: &str) -> impl Iterator<Item = &'a str> {
    spec.get(member).map_or(&[][..], Json::items).iter().filter_map(Json::text)
}

fn constant<'a>(case: &'a Case, name: &str) -> Option<&'a Json> {
    let named = listed(case).iter().find(|spec| spec.text_of("name") == Some(name))?;
    named.get("provide")?.get("constant")
}

/// The arguments that are dependencies, behind the others.
pub fn take(case: &Case, spec: &Json, wired: &mut Vec<Value>, arguments: &mut Vec<Argument>) {
    for name in names(spec, "takes") {
        let value = constant(case, name);
        wired.push(if value.is_some() { json!("absent") } else { json!({"provide": name}) });
        arguments.push(Argument::Provided { name: name.to_owned(), constant: value.cloned() });
    }
}

/// What is made though nobody takes it.
pub fn needs(case: &Case, spec: &Json) -> Vec<String> {
    names(spec, "needs").filter(|name| constant(case, name).is_none()).map(str::to_owned).collect()
}

impl Made {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn value(&self, HostId(id): HostId) -> Json {
        self.state().values[id as usize].0.clone()
    }

    pub fn make(&self, number: usize, received: Json, code: &Code) -> Result<HostId, Error> {
        let dependency = &code.dependencies[number];
        let mut state = self.state();
        let known = state.counts.len();
        state.counts.resize(known.max(number + 1), 0);
        state.counts[number] += 1;
        let value = match (dependency.words.get("raise"), dependency.words.get("count")) {
            (Some(raise), _) => return Err(script::raise(raise)),
            (None, Some(_)) => Json::from(&Value::from(state.counts[number])),
            (None, None) => received,
        };
        if dependency.generator {
            code.later.note(format!("open {}", dependency.name));
        }
        state.values.push((value, number));
        Ok(HostId(state.values.len() as u32 - 1))
    }

    /// Goes on behind a `yield`; a stream, which has none, is let go.
    pub fn finish(&self, HostId(id): HostId, outcome: Outcome, code: &Code) -> Result<(), Error> {
        let Some((_, number)) = self.state().values.get(id as usize).cloned() else { return Ok(()) };
        let Dependency { name, translate, fails, .. } = &code.dependencies[number];
        let raised = matches!(outcome, Outcome::Raised(_));
        if raised {
            code.later.note(format!("{name} saw it"));
        }
        code.later.note(format!("close {name}"));
        let raise = if raised { translate } else { fails };
        raise.as_ref().map_or(Ok(()), |raise| Err(script::raise(raise)))
    }
}
