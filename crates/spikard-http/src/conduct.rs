//! What holds for a route beside its arguments and its handler: hooks, exception handlers, limits. Most routes of an app
//! say nothing of it, and have one between them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use spikard_core::{
    SpecError,
    config::Config,
    plan::{Plan, Plans},
    sabotage,
    spec::{AppSpec, RecoverSpec, RouteOptions, RouteSpec},
};

use crate::{decode::form::FormLimits, hooks::Hooks, singletons::Singletons, transit::Transit};

pub(crate) struct Conduct {
    pub hooks: Hooks,
    pub recover: RecoverSpec,
    /// Somebody may look at the head.
    pub carries_head: bool,
    pub cancel_on_disconnect: bool,
    pub max_body_size: Option<u64>,
    pub form_limits: FormLimits,
    pub timeout: Option<Duration>,
    pub singletons: Arc<Singletons>,
    pub transit: Arc<Transit>,
}

/// Compiles the routes of one app. What several of them say is compiled once.
pub(crate) struct Compiler<'a> {
    pub app: &'a AppSpec,
    pub config: &'a Config,
    transit: &'a Arc<Transit>,
    singletons: &'a Arc<Singletons>,
    plans: Plans,
    conducts: HashMap<String, Arc<Conduct>>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(
        app: &'a AppSpec,
        config: &'a Config,
        transit: &'a Arc<Transit>,
        singletons: &'a Arc<Singletons>,
    ) -> Self {
        Self { app, config, transit, singletons, plans: Plans::default(), conducts: HashMap::new() }
    }

    pub(crate) fn plan(&mut self, route: &RouteSpec) -> Result<Arc<Plan>, SpecError> {
        self.plans.of(self.app, route, self.config)
    }

    pub(crate) fn conduct(&mut self, route: &RouteSpec) -> Result<Arc<Conduct>, SpecError> {
        let RouteSpec { hooks, recover, options, .. } = route;
        let said = serde_json::to_string(&(hooks, recover, options)).expect("what came from JSON is JSON");
        if let Some(known) = self.conducts.get(&said) {
            return Ok(known.clone());
        }
        let (hooks, recover) = (Hooks::of(self.app, hooks), Hooks::recover(self.app, recover));
        let made = Arc::new(self.made(hooks, recover, options)?);
        self.conducts.insert(said, made.clone());
        Ok(made)
    }

    /// What hooks and exception handlers of the app see where no route was matched. None: there are none that do.
    pub(crate) fn outside(&self) -> Result<Option<Arc<Conduct>>, SpecError> {
        let (hooks, recover) = (Hooks::outside(self.app), Hooks::recover(self.app, &RecoverSpec::default()));
        if hooks.early.is_empty() && hooks.on_response.is_empty() && recover.statuses.is_empty() {
            return Ok(None);
        }
        self.made(hooks, recover, &RouteOptions::default()).map(|made| Some(Arc::new(made)))
    }

    fn made(&self, hooks: Hooks, mut recover: RecoverSpec, options: &RouteOptions) -> Result<Conduct, SpecError> {
        options.check()?;
        let config = self.config;
        recover.debug = recover.debug.filter(|_| config.debug);
        let limited = !sabotage::takes_out("limits");
        let timeout = options.timeout.unwrap_or(config.request_timeout).filter(|_| limited);
        Ok(Conduct {
            carries_head: hooks.see_the_head() || !recover.is_empty(),
            hooks,
            recover,
            cancel_on_disconnect: options.cancel_on_disconnect.unwrap_or(config.cancel_on_disconnect),
            max_body_size: options.max_body_size.unwrap_or(config.max_body_size).filter(|_| limited),
            form_limits: FormLimits::of(config),
            timeout: timeout.map(Duration::from_secs_f64),
            singletons: self.singletons.clone(),
            transit: self.transit.clone(),
        })
    }
}
