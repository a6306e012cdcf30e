//! Routes that bind their arguments alike have one plan between them: what many routes need, asked in turn, then stays
//! near the processor, and is compiled once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::Plan;
use crate::{
    CallableId, Part, SpecError, Template,
    config::Config,
    spec::{AppSpec, HookSpec, RecoverSpec, RouteOptions, RouteSpec},
};

/// The plans of one app.
#[derive(Debug, Default)]
pub struct Plans(HashMap<String, Arc<Plan>>);

impl Plans {
    /// The plan of a route; that of an earlier one of the same app, where both say the same of their arguments.
    pub fn of(&mut self, app: &AppSpec, route: &RouteSpec, config: &Config) -> Result<Arc<Plan>, SpecError> {
        let said = said(route)?;
        if let Some(known) = self.0.get(&said) {
            return Ok(known.clone());
        }
        let plan = Arc::new(Plan::compile(app, route, config)?);
        self.0.insert(said, plan.clone());
        Ok(plan)
    }
}

/// All that a route says, but what no plan is made of.
fn said(route: &RouteSpec) -> Result<String, SpecError> {
    let bound = RouteSpec {
        method: String::new(),
        path: taken(&Template::parse(&route.path)?),
        handler: CallableId(0),
        response_schema: None,
        filters_response: false,
        responses: BTreeMap::new(),
        hooks: HookSpec::default(),
        recover: RecoverSpec::default(),
        options: RouteOptions { assert_formats: route.options.assert_formats, ..RouteOptions::default() },
        ..route.clone()
    };
    Ok(serde_json::to_string(&bound).expect("what came from JSON is JSON"))
}

/// What a path gives, without the text between.
fn taken(template: &Template) -> String {
    let piece = |part: &Part| match part {
        Part::Literal(_) => None,
        Part::Parameter { name, converter } => Some(format!("{{{name}:{converter:?}}}")),
    };
    template.parts.iter().filter_map(piece).collect()
}
