//! The dependency graph: what a route needs, in the order in which it is made, with every parameter that it takes.

use crate::{
    CallableId, SpecError, Template,
    spec::{AppSpec, ArgumentSpec, DependencySpec, Ends, ParameterSpec, RouteSpec, Scope, Source},
};

/// A route with its dependencies laid out.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    /// The route's own and those of its dependencies, one for each source and name, in the order of errors.
    pub parameters: Vec<ParameterSpec>,
    /// In the order in which they are made; clean-up goes the other way.
    pub provided: Vec<WiredProvider>,
    /// The handler's arguments.
    pub arguments: Vec<WiredArgument>,
}

#[derive(Debug)]
pub(crate) struct WiredProvider {
    pub provider: CallableId,
    pub generator: bool,
    pub ends: Ends,
    pub concurrent: bool,
    /// Its place among the app's dependencies, where it is made once for all requests.
    pub singleton: Option<usize>,
    pub arguments: Vec<WiredArgument>,
    /// Made before it though it takes them not, as indexes into `provided`.
    pub after: Vec<usize>,
}

impl WiredProvider {
    /// Whether this one of the provided has to be there before.
    pub(crate) fn needs(&self, index: usize) -> bool {
        let takes = |argument: &WiredArgument| matches!(argument, WiredArgument::Provided(taken) if *taken == index);
        self.after.contains(&index) || self.arguments.iter().any(takes)
    }
}

/// An argument whose parameters are indexes into the wiring's list, and its dependencies into `provided`.
#[derive(Clone, Debug)]
pub(crate) enum WiredArgument {
    Parameter { index: usize, choices: bool, decoder: Option<CallableId> },
    Model { parameters: Vec<usize>, decoder: CallableId },
    Body,
    Provided(usize),
    Absent,
    Request,
}

impl Wiring {
    /// Fails on an unknown name, a cycle (its path is named), one that needs what ends before it, or an index that is
    /// out of range.
    pub(crate) fn lay_out(app: &AppSpec, route: &RouteSpec, template: &Template) -> Result<Self, SpecError> {
        let mut layout =
            Layout { app, template, wiring: Self::default(), made: Vec::new(), early: Vec::new(), open: Vec::new() };
        let own = layout.adopt(&route.parameters);
        for name in &route.dependencies {
            layout.require(name)?;
        }
        layout.wiring.arguments = layout.wire(&route.arguments, &own)?;
        let mut wiring = layout.wiring;
        wiring.add_converted(template);
        wiring.sort_parameters();
        Ok(wiring)
    }

    /// A converter says what may stand in the path, whether an argument takes it or not.
    fn add_converted(&mut self, template: &Template) {
        for (name, converter) in template.parameters().filter(|(_, converter)| converter.converts()) {
            let taken = |known: &ParameterSpec| known.source == Source::Path && known.name == name;
            if !self.parameters.iter().any(taken) {
                self.parameters.push(ParameterSpec::new(name, Source::Path, converter.schema()));
            }
        }
    }

    /// How many of those behind this one may be made beside it: neighbours that say so, need no clean-up, belong to
    /// the request and need none of each other.
    pub(crate) fn beside(&self, index: usize) -> usize {
        let free = |one: &WiredProvider| one.concurrent && !one.generator && one.singleton.is_none();
        let joins =
            |&next: &usize| free(&self.provided[next]) && !(index..next).any(|one| self.provided[next].needs(one));
        if free(&self.provided[index]) { (index + 1..self.provided.len()).take_while(joins).count() } else { 0 }
    }

    /// By source (path, query, header, cookie, body), then as declared: the route's own before its dependencies'.
    fn sort_parameters(&mut self) {
        let mut order: Vec<usize> = (0..self.parameters.len()).collect();
        order.sort_by_key(|&old| self.parameters[old].source as u8);
        let mut place = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old] = new;
        }
        self.parameters = order.iter().map(|&old| self.parameters[old].clone()).collect();
        let all = self.provided.iter_mut().flat_map(|provider| &mut provider.arguments).chain(&mut self.arguments);
        for argument in all {
            match argument {
                WiredArgument::Parameter { index, .. } => *index = place[*index],
                WiredArgument::Model { parameters, .. } => {
                    for index in parameters {
                        *index = place[*index];
                    }
                }
                WiredArgument::Body | WiredArgument::Provided(_) | WiredArgument::Absent | WiredArgument::Request => (),
            }
        }
    }
}

struct Layout<'a> {
    app: &'a AppSpec,
    template: &'a Template,
    wiring: Wiring,
    /// Names, as `wiring.provided`.
    made: Vec<&'a str>,
    /// For each of them what `ends_early` said.
    early: Vec<Option<&'a str>>,
    /// The way to where the search stands.
    open: Vec<&'a str>,
}

impl<'a> Layout<'a> {
    /// Where it stands among the provided. Whatever it needs is made before it.
    fn require(&mut self, name: &str) -> Result<usize, SpecError> {
        let app = self.app;
        let known = app.dependencies.iter().position(|dependency| dependency.name == name);
        let Some(place) = known else {
            return Err(SpecError::new(format!("there is no dependency {name:?}")));
        };
        let dependency = &app.dependencies[place];
        if dependency.scope != Scope::Call
            && let Some(made) = self.made.iter().position(|made| *made == name)
        {
            return Ok(made);
        }
        if let Some(first) = self.open.iter().position(|open| *open == name) {
            let way = [&self.open[first..], &[&dependency.name]].concat().join(" -> ");
            return Err(SpecError::new(format!("the dependencies form a cycle: {way}")));
        }
        self.open.push(&dependency.name);
        self.make(dependency, place)?;
        self.open.pop();
        Ok(self.made.len() - 1)
    }

    fn make(&mut self, dependency: &'a DependencySpec, place: usize) -> Result<(), SpecError> {
        let own = self.adopt(&dependency.parameters);
        let after = dependency.dependencies.iter().map(|name| self.require(name)).collect::<Result<_, _>>()?;
        let arguments = self.wire(&dependency.arguments, &own)?;
        let singleton = (dependency.scope == Scope::Singleton).then_some(place);
        let DependencySpec { provider, generator, ends, concurrent, .. } = *dependency;
        let made = WiredProvider { provider, generator, ends, concurrent, singleton, arguments, after };
        if singleton.is_some()
            && let Some(what) = self.of_one_request(&made)
        {
            let message = format!("the singleton {:?} takes {what}, which belongs to one request", dependency.name);
            return Err(SpecError::new(message));
        }
        let early = self.ends_early(dependency, &made)?;
        self.wiring.provided.push(made);
        self.made.push(&dependency.name);
        self.early.push(early);
        Ok(())
    }

    /// Which generator that ends with the handler it is, or needs, near or far. One that ends after the response may
    /// need none.
    fn ends_early(&self, dependency: &'a DependencySpec, made: &WiredProvider) -> Result<Option<&'a str>, SpecError> {
        let name = dependency.name.as_str();
        let needed = (0..self.made.len()).filter(|&index| made.needs(index)).find_map(|index| self.early[index]);
        match (made.ends, needed) {
            (Ends::Handler, _) if made.singleton.is_some() => {
                Err(SpecError::new(format!("the singleton {name:?} cannot end with a handler")))
            }
            (Ends::Response, Some(needed)) if made.generator && made.singleton.is_none() => {
                Err(SpecError::new(format!(
                    "the dependency {name:?} ends after the response, and {needed:?}, which it needs, with the handler"
                )))
            }
            (Ends::Handler, _) if made.generator => Ok(Some(name)),
            _ => Ok(needed),
        }
    }

    /// What of its needs a singleton cannot have.
    fn of_one_request(&self, made: &WiredProvider) -> Option<String> {
        let parameter = |index: usize| {
            let ParameterSpec { source, name, .. } = &self.wiring.parameters[index];
            Some(format!("the {} parameter {name:?}", source.loc()))
        };
        let provided = |index: usize| {
            let lasts = self.wiring.provided[index].singleton.is_some();
            (!lasts).then(|| format!("the dependency {:?}", self.made[index]))
        };
        let taken = |argument: &WiredArgument| match argument {
            WiredArgument::Parameter { index, .. } => parameter(*index),
            WiredArgument::Model { parameters, .. } => parameters.first().and_then(|&index| parameter(index)),
            WiredArgument::Body => Some("the body".to_owned()),
            WiredArgument::Request => Some("the request".to_owned()),
            WiredArgument::Provided(index) => provided(*index),
            WiredArgument::Absent => None,
        };
        made.arguments.iter().find_map(taken).or_else(|| made.after.iter().find_map(|&index| provided(index)))
    }

    /// Where each of these parameters stands in the wiring's list.
    fn adopt(&mut self, parameters: &[ParameterSpec]) -> Vec<usize> {
        let (all, template) = (&mut self.wiring.parameters, self.template);
        let same = |one: &ParameterSpec, other: &ParameterSpec| {
            (one.source, &one.name, one.rest) == (other.source, &other.name, other.rest) && one.schema == other.schema
        };
        let place = |parameter: &ParameterSpec| {
            let parameter = parameter.clone().typed(template);
            let known = all.iter().position(|known| same(known, &parameter)).unwrap_or_else(|| {
                all.push(parameter.clone());
                all.len() - 1
            });
            let further: Vec<_> = parameter.also.iter().filter(|name| !all[known].also.contains(name)).collect();
            all[known].also.extend(further.into_iter().cloned());
            known
        };
        parameters.iter().map(place).collect()
    }

    fn wire(&mut self, arguments: &[ArgumentSpec], own: &[usize]) -> Result<Vec<WiredArgument>, SpecError> {
        let place = |index: usize| {
            let missing = || SpecError::new(format!("an argument names parameter {index} of {}", own.len()));
            own.get(index).copied().ok_or_else(missing)
        };
        let wire = |argument: &ArgumentSpec| {
            Ok(match argument {
                ArgumentSpec::Parameter(one) => {
                    WiredArgument::Parameter { index: place(one.index)?, choices: one.choices, decoder: one.decoder }
                }
                ArgumentSpec::Model(model) => WiredArgument::Model {
                    parameters: model.parameters.iter().map(|&index| place(index)).collect::<Result<_, _>>()?,
                    decoder: model.decoder,
                },
                ArgumentSpec::Body => WiredArgument::Body,
                ArgumentSpec::Provide(name) => WiredArgument::Provided(self.require(name)?),
                ArgumentSpec::Absent => WiredArgument::Absent,
                ArgumentSpec::Request => WiredArgument::Request,
            })
        };
        arguments.iter().map(wire).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wiring(dependencies: &serde_json::Value, arguments: &serde_json::Value) -> Result<Wiring, SpecError> {
        let route = json!({"method": "GET", "path": "/", "handler": 0, "arguments": arguments,
            "parameters": [{"name": "q", "in": "query"}]});
        let app = json!({"routes": [route], "dependencies": dependencies});
        let app: AppSpec = serde_json::from_value(app).unwrap();
        Wiring::lay_out(&app, &app.routes[0], &Template::parse(&app.routes[0].path)?)
    }

    #[test]
    fn what_is_needed_is_made_once_and_before_its_users() {
        let dependencies = json!([
            {"name": "a", "provider": 1, "arguments": [{"provide": "b"}, {"provide": "c"}]},
            {"name": "b", "provider": 2, "arguments": [{"provide": "c"}]},
            {"name": "c", "provider": 3, "parameters": [{"name": "id", "in": "path"}, {"name": "q", "in": "query"}],
                "arguments": [{"parameter": {"index": 1}}]},
            {"name": "unused", "provider": 4}]);
        let wiring = wiring(&dependencies, &json!([{"provide": "a"}, {"parameter": {"index": 0}}])).unwrap();
        let order: Vec<u32> = wiring.provided.iter().map(|provider| provider.provider.0).collect();
        assert_eq!(order, [3, 2, 1]);
        let names: Vec<&str> = wiring.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["id", "q"], "sorted by source, and `q` once");
        assert!(matches!(wiring.arguments[1], WiredArgument::Parameter { index: 1, .. }));
    }

    #[test]
    fn a_cycle_is_named_with_its_path() {
        let dependencies = json!([{"name": "a", "provider": 1, "arguments": [{"provide": "b"}]},
            {"name": "b", "provider": 2, "arguments": [{"provide": "a"}]}]);
        let error = wiring(&dependencies, &json!([{"provide": "a"}])).unwrap_err();
        assert_eq!(error.message, "the dependencies form a cycle: a -> b -> a");
        assert_eq!(wiring(&json!([]), &json!([{"provide": "x"}])).unwrap_err().message, "there is no dependency \"x\"");
    }

    #[test]
    fn what_is_not_cached_is_made_for_each_argument() {
        let dependencies = json!([{"name": "token", "provider": 1, "scope": "call"},
            {"name": "a", "provider": 2, "arguments": [{"provide": "token"}], "dependencies": ["b"]},
            {"name": "b", "provider": 3}]);
        let needs = json!([{"provide": "token"}, {"provide": "a"}, {"provide": "token"}, {"provide": "a"}]);
        let wiring = wiring(&dependencies, &needs).unwrap();
        let order: Vec<u32> = wiring.provided.iter().map(|provider| provider.provider.0).collect();
        assert_eq!(order, [1, 3, 1, 2, 1]);
        assert!(wiring.provided[3].needs(1) && wiring.provided[3].needs(2) && !wiring.provided[3].needs(0));
    }

    #[test]
    fn a_singleton_takes_nothing_of_one_request() {
        let fault = |db: serde_json::Value| {
            let mut db = db;
            db["name"] = "db".into();
            db["scope"] = "singleton".into();
            db["provider"] = 1.into();
            let dependencies = json!([db, {"name": "session", "provider": 2},
                {"name": "pool", "provider": 3, "scope": "singleton", "arguments": ["absent"]}]);
            wiring(&dependencies, &json!([{"provide": "db"}])).err().map(|error| error.message)
        };
        let said = |what: &str| Some(format!("the singleton \"db\" takes {what}, which belongs to one request"));
        let parameter = json!({"name": "q", "in": "query"});
        assert_eq!(fault(json!({"arguments": [{"provide": "pool"}], "dependencies": ["pool"]})), None);
        assert_eq!(fault(json!({"arguments": [{"provide": "session"}]})), said("the dependency \"session\""));
        assert_eq!(fault(json!({"dependencies": ["session"]})), said("the dependency \"session\""));
        assert_eq!(fault(json!({"arguments": ["request"]})), said("the request"));
        assert_eq!(fault(json!({"arguments": ["body"]})), said("the body"));
        let taken = json!({"parameters": [parameter], "arguments": [{"parameter": {"index": 0}}]});
        assert_eq!(fault(taken), said("the query parameter \"q\""));
    }
    #[test]
    fn what_ends_after_the_response_needs_nothing_that_ends_with_the_handler() {
        let with = |audit: serde_json::Value, unit: serde_json::Value| {
            let (mut audit, mut unit) = (audit, unit);
            for (dependency, name, provider) in [(&mut audit, "audit", 1), (&mut unit, "unit", 3)] {
                dependency["name"] = name.into();
                dependency["provider"] = provider.into();
            }
            audit["arguments"] = json!([{"provide": "books"}]);
            let books = json!({"name": "books", "provider": 2, "dependencies": ["unit"]});
            wiring(&json!([audit, books, unit]), &json!([{"provide": "audit"}])).err().map(|error| error.message)
        };
        let (early, late) = (json!({"generator": true, "ends": "handler"}), json!({"generator": true}));
        let said = "the dependency \"audit\" ends after the response, and \"unit\", which it needs, with the handler";
        assert_eq!(with(late.clone(), early.clone()), Some(said.into()));
        assert_eq!(with(early.clone(), late), None);
        assert_eq!(with(early.clone(), early.clone()), None);
        assert_eq!(with(json!({}), early), None, "what has no end of its own ends with what it needs");
        let single = with(json!({}), json!({"scope": "singleton", "ends": "handler"}));
        assert_eq!(single, Some("the singleton \"unit\" cannot end with a handler".into()));
    }
}
