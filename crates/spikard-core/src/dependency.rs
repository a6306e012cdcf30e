//! The dependency graph: what a route needs, in the order in which it is made, with every parameter that it takes.

use crate::{
    CallableId, SpecError,
    spec::{AppSpec, ArgumentSpec, DependencySpec, ParameterSpec, RouteSpec},
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
    pub arguments: Vec<WiredArgument>,
}

/// An argument whose parameters are indexes into the wiring's list, and its dependencies into `provided`.
#[derive(Clone, Debug)]
pub(crate) enum WiredArgument {
    Parameter { index: usize, choices: bool, decoder: Option<CallableId> },
    Model { parameters: Vec<usize>, decoder: CallableId },
    Body,
    Provided(usize),
    Request,
}

impl Wiring {
    /// Fails on an unknown name, a cycle (its path is named), or an index that is out of range.
    pub(crate) fn lay_out(app: &AppSpec, route: &RouteSpec) -> Result<Self, SpecError> {
        let mut layout = Layout { app, wiring: Self::default(), made: Vec::new(), open: Vec::new() };
        for name in needed(&route.arguments).chain(route.dependencies.iter().map(String::as_str)) {
            layout.require(name)?;
        }
        let own = layout.adopt(&route.parameters);
        layout.wiring.arguments = layout.wire(&route.arguments, &own)?;
        let mut wiring = layout.wiring;
        wiring.sort_parameters();
        Ok(wiring)
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
                WiredArgument::Body | WiredArgument::Provided(_) | WiredArgument::Request => (),
            }
        }
    }
}

fn needed(arguments: &[ArgumentSpec]) -> impl Iterator<Item = &str> {
    arguments.iter().filter_map(|argument| match argument {
        ArgumentSpec::Provide(name) => Some(name.as_str()),
        _ => None,
    })
}

struct Layout<'a> {
    app: &'a AppSpec,
    wiring: Wiring,
    /// Names, as `wiring.provided`.
    made: Vec<&'a str>,
    /// The way to where the search stands.
    open: Vec<&'a str>,
}

impl<'a> Layout<'a> {
    fn require(&mut self, name: &str) -> Result<(), SpecError> {
        let app = self.app;
        let known = app.dependencies.iter().find(|dependency| dependency.name == name);
        let Some(dependency) = known else {
            return Err(SpecError::new(format!("there is no dependency {name:?}")));
        };
        if self.made.contains(&dependency.name.as_str()) {
            return Ok(());
        }
        if self.open.contains(&dependency.name.as_str()) {
            let way = [&self.open[..], &[&dependency.name]].concat().join(" -> ");
            return Err(SpecError::new(format!("the dependencies form a cycle: {way}")));
        }
        self.open.push(&dependency.name);
        for inner in needed(&dependency.arguments) {
            self.require(inner)?;
        }
        self.open.pop();
        self.make(dependency)
    }

    fn make(&mut self, dependency: &'a DependencySpec) -> Result<(), SpecError> {
        let own = self.adopt(&dependency.parameters);
        let arguments = self.wire(&dependency.arguments, &own)?;
        let (provider, generator) = (dependency.provider, dependency.generator);
        self.wiring.provided.push(WiredProvider { provider, generator, arguments });
        self.made.push(&dependency.name);
        Ok(())
    }

    /// Where each of these parameters stands in the wiring's list.
    fn adopt(&mut self, parameters: &[ParameterSpec]) -> Vec<usize> {
        let all = &mut self.wiring.parameters;
        let same = |one: &ParameterSpec, other: &ParameterSpec| {
            one.source == other.source && one.name == other.name && one.schema == other.schema
        };
        let place = |parameter: &ParameterSpec| {
            all.iter().position(|known| same(known, parameter)).unwrap_or_else(|| {
                all.push(parameter.clone());
                all.len() - 1
            })
        };
        parameters.iter().map(place).collect()
    }

    fn wire(&self, arguments: &[ArgumentSpec], own: &[usize]) -> Result<Vec<WiredArgument>, SpecError> {
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
                ArgumentSpec::Provide(name) => {
                    let made = self.made.iter().position(|made| made == name);
                    WiredArgument::Provided(made.expect("required before its user is wired"))
                }
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
        Wiring::lay_out(&app, &app.routes[0])
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
}
