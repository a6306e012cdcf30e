//! The builder: routes, handlers and configuration, as a document and a table of callables.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use spikard_core::{
    CallableId, SpecError,
    config::Layers,
    spec::{AppSpec, HookSpec, RecoverSpec, RouteOptions, RouteSpec},
};
use spikard_http::{Service, Tokio};
use tokio::runtime::Handle;

use crate::{
    Handler,
    handler::{Erased, erased},
    host::{Door, Host},
};

/// An app in the making.
#[derive(Default)]
pub struct App {
    spec: AppSpec,
    handlers: Vec<Erased>,
    /// What is wrong with a route; told where a result can be.
    fault: Option<SpecError>,
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident $method:literal;)*) => {
        impl App {
            $($(#[$doc])*
            #[must_use]
            pub fn $name<Taken: 'static, H: Handler<Taken>>(self, path: &str, handler: H) -> Self {
                self.route($method, path, handler)
            })*
        }
    };
}

verbs! {
    /// A route for GET.
    get "GET";
    /// A route for POST.
    post "POST";
    /// A route for PUT.
    put "PUT";
    /// A route for PATCH.
    patch "PATCH";
    /// A route for DELETE.
    delete "DELETE";
}

impl App {
    /// An app without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A route for any method. `path` is a template: `/users/{id}`.
    #[must_use]
    pub fn route<Taken: 'static, H: Handler<Taken>>(mut self, method: &str, path: &str, handler: H) -> Self {
        let id = u32::try_from(self.handlers.len()).expect("an app has fewer routes than numbers");
        let mut route = RouteSpec {
            method: method.to_owned(),
            path: path.to_owned(),
            handler: CallableId(id),
            parameters: Vec::new(),
            body: None,
            response_schema: None,
            filters_response: false,
            responses: BTreeMap::new(),
            arguments: Vec::new(),
            dependencies: Vec::new(),
            hooks: HookSpec::default(),
            recover: RecoverSpec::default(),
            options: RouteOptions::default(),
        };
        if let Err(fault) = H::declare(&mut route) {
            self.fault.get_or_insert(fault.in_route(method, path));
        }
        self.spec.routes.push(route);
        self.handlers.push(erased(handler));
        self
    }

    /// Sets a field of the configuration: `port`, `max_body_size`, `request_timeout` and so on.
    #[must_use]
    pub fn config(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.spec.config.given.insert(field.to_owned(), value.into());
        self
    }

    /// Takes the environment's `SPIKARD_*` variables into account, below what [`App::config`] says.
    #[must_use]
    pub fn with_environment(mut self) -> Self {
        let said = std::env::vars().filter(|(name, _)| name.starts_with("SPIKARD_"));
        let env = said.map(|(name, value)| (name, Value::from(value))).collect();
        self.spec.config = Layers { env, ..self.spec.config };
        self
    }

    /// The app as a service whose handlers run on this tokio runtime, which has to poll
    /// [`Service::bring_home`](spikard_http::Service::bring_home) too.
    ///
    /// # Errors
    /// The first route or field that cannot work, by its name.
    pub fn into_service(self, tokio: Handle) -> Result<Service, SpecError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let platform = Arc::new(Tokio::new(tokio.clone()));
        Service::new(&self.spec, Arc::new(Door(Host::new(self.handlers, tokio))), platform)
    }
}
