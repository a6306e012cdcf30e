//! The argument plan of a route: compiled at start-up, run for each request before any user code. It takes a head and
//! a body and hands on bound arguments, or one error that lists everything that was refused.

mod alike;
mod body;
mod form;
mod head;
mod members;
mod rest;

use http::HeaderName;

use crate::{
    Arg, Args, CallableId, Error, FieldError, HostArg, HostId, Input, Loc, MAX_ERRORS, Request, SpecError, Template,
    config::Config,
    dependency::{WiredArgument, WiredProvider, Wiring},
    echo,
    parameter::Reader,
    sabotage,
    spec::{AppSpec, Ends, ParameterSpec, Rest, RouteSpec, Source},
};
pub use alike::Plans;
use body::BodyPlan;
pub use body::{Media, check_json};
pub use form::read_pairs;
pub use head::form_boundary;

/// Path values, percent-decoded, in the order of the template's parameters.
pub type PathValues = Vec<String>;

/// How the arguments of a route are bound.
#[derive(Debug)]
pub struct Plan {
    parameters: Vec<Parameter>,
    body: Option<BodyPlan>,
    /// The handler's arguments, then those of each provider.
    slots: Vec<Slot>,
    handler_arguments: usize,
    provided: Vec<Provided>,
    ended_by_handler: usize,
    /// Where the body goes too: it is decoded once, for the first place.
    further_bodies: Vec<usize>,
    needs_head: bool,
    takes_inputs: bool,
    reads: Reads,
    /// By parameter.
    rests: Vec<(usize, Source, Rest)>,
}

/// Which parts of a head have to be taken apart.
#[derive(Clone, Copy, Debug, Default)]
struct Reads {
    query: bool,
    cookies: bool,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    /// Further names.
    also: Box<[String]>,
    from: From,
    reader: Reader,
    required: bool,
    separator: Option<String>,
}

#[derive(Debug)]
enum From {
    Path(usize),
    Query,
    Header(HeaderName),
    Cookie,
    Body,
    /// What no other parameter has.
    Rest(Source, Rest),
}

impl Parameter {
    fn loc(&self) -> [Loc; 2] {
        match &self.from {
            From::Header(name) => self.loc_under(name.as_str()),
            _ => self.loc_under(&self.name),
        }
    }

    /// Where it was sent under one of its names.
    fn loc_under(&self, name: &str) -> [Loc; 2] {
        let source = match self.from {
            From::Path(_) => Source::Path,
            From::Query => Source::Query,
            From::Header(_) => Source::Header,
            From::Cookie => Source::Cookie,
            From::Body => Source::Body,
            From::Rest(source, _) => source,
        };
        [source.loc().into(), name.to_owned().into()]
    }
}

/// A dependency that is made on the host's side, before the handler.
#[derive(Clone, Debug)]
pub struct Provided {
    /// What makes it.
    pub provider: CallableId,
    /// It has to be finished.
    pub generator: bool,
    /// When that is.
    pub ends: Ends,
    /// Its place among the app's dependencies, where it is made once for all requests.
    pub singleton: Option<usize>,
    /// How many of those behind it may be made beside it.
    beside: usize,
    /// Its arguments: a range of the bound ones.
    pub arguments: std::ops::Range<usize>,
    /// Where its value goes.
    targets: Vec<usize>,
}

/// One place in a bound argument list.
#[derive(Debug)]
enum Slot {
    /// `last`: nobody behind it takes the same value, which may be moved.
    Parameter {
        index: usize,
        choices: bool,
        decoder: Option<CallableId>,
        last: bool,
    },
    Model {
        parameters: Vec<usize>,
        decoder: CallableId,
    },
    Body,
    /// Filled when the dependency has been made.
    Provided,
    Absent,
    /// Filled when the hooks have seen it.
    Request,
}

/// A request whose head has been read.
#[derive(Debug)]
pub struct Bound {
    /// By parameter.
    values: Vec<Arg>,
    errors: Vec<FieldError>,
    /// How the body is to be read, where there is one.
    media: Option<Media>,
    /// Of a multipart form.
    boundary: Option<Box<str>>,
}

impl Plan {
    /// Compiles the plan of one route.
    ///
    /// Fails where a schema cannot be read, a default is refused by its own schema, a path parameter is not in the
    /// template, or an argument names what is not there.
    pub fn compile(app: &AppSpec, route: &RouteSpec, config: &Config) -> Result<Self, SpecError> {
        let template = Template::parse(&route.path)?;
        let wiring = Wiring::lay_out(app, route, &template)?;
        let parameters = compile_parameters(app, &wiring, &template)?;
        let body = BodyPlan::compile(app, route, &wiring, config)?;
        let mut plan = Self {
            reads: Reads {
                query: parameters
                    .iter()
                    .any(|parameter| matches!(parameter.from, From::Query | From::Body | From::Rest(Source::Query, _))),
                cookies: parameters
                    .iter()
                    .any(|parameter| matches!(parameter.from, From::Cookie | From::Rest(Source::Cookie, _))),
            },
            rests: rests(&parameters),
            parameters,
            body,
            slots: Vec::new(),
            handler_arguments: wiring.arguments.len(),
            provided: Vec::new(),
            ended_by_handler: 0,
            further_bodies: Vec::new(),
            needs_head: false,
            takes_inputs: false,
        };
        plan.lay_slots(&wiring);
        plan.takes_inputs = plan.slots.iter().any(|slot| plan.is_input(slot));
        Ok(plan)
    }

    fn lay_slots(&mut self, wiring: &Wiring) {
        let mut arguments: Vec<&WiredArgument> = wiring.arguments.iter().collect();
        for (index, wired) in wiring.provided.iter().enumerate() {
            let first = arguments.len();
            arguments.extend(&wired.arguments);
            let arguments = first..arguments.len();
            let WiredProvider { provider, generator, ends, singleton, .. } = *wired;
            let (beside, targets) = (wiring.beside(index), Vec::new());
            self.ended_by_handler += usize::from(generator && ends == Ends::Handler);
            self.provided.push(Provided { provider, generator, ends, singleton, beside, arguments, targets });
        }
        for (place, argument) in arguments.iter().enumerate() {
            let slot = match argument {
                WiredArgument::Parameter { index, choices, decoder } => {
                    let last = !arguments[place + 1..].iter().any(|later| takes(later, *index));
                    Slot::Parameter { index: *index, choices: *choices, decoder: *decoder, last }
                }
                WiredArgument::Model { parameters, decoder } => {
                    Slot::Model { parameters: parameters.clone(), decoder: *decoder }
                }
                WiredArgument::Body => {
                    if self.slots.iter().any(|slot| matches!(slot, Slot::Body)) {
                        self.further_bodies.push(place);
                    }
                    Slot::Body
                }
                WiredArgument::Absent => Slot::Absent,
                WiredArgument::Provided(index) => {
                    self.provided[*index].targets.push(place);
                    Slot::Provided
                }
                WiredArgument::Request => {
                    self.needs_head = true;
                    Slot::Request
                }
            };
            self.slots.push(slot);
        }
    }

    /// Whether a body is read at all.
    pub fn reads_body(&self) -> bool {
        self.body.is_some()
    }

    /// Whether some argument is the request itself.
    pub fn needs_head(&self) -> bool {
        self.needs_head
    }

    /// Whether anything is made before the handler.
    pub fn provides(&self) -> bool {
        !self.provided.is_empty()
    }

    /// How many generators are finished when the handler has returned.
    pub fn ended_by_handler(&self) -> usize {
        self.ended_by_handler
    }

    /// The dependencies in the order in which they are made; those of one slice may be made side by side.
    pub fn provided(&self) -> impl Iterator<Item = &[Provided]> {
        let mut rest = self.provided.as_slice();
        std::iter::from_fn(move || {
            let (batch, behind) = rest.split_at(rest.first()?.beside + 1);
            rest = behind;
            Some(batch)
        })
    }

    /// Puts the request where it is taken.
    pub fn put_request(&self, request: &mut Request) {
        let Some(head) = request.head.as_ref().filter(|_| self.needs_head) else { return };
        for (arg, slot) in request.args.iter_mut().zip(&self.slots) {
            if matches!(slot, Slot::Request) {
                *arg = Arg::Request(head.clone());
            }
        }
    }

    /// The arguments of a provider, taken out of the bound ones.
    pub fn provider_args(&self, provided: &Provided, args: &mut Args) -> Args {
        provided.arguments.clone().map(|place| std::mem::replace(&mut args[place], Arg::Null)).collect()
    }

    /// Puts a dependency's value where it is taken.
    pub fn put_provided(&self, provided: &Provided, args: &mut Args, value: HostId) {
        for &place in &provided.targets {
            args[place] = Arg::Host(value);
        }
    }

    /// Leaves the handler's own arguments.
    pub fn handler_args(&self, mut args: Args) -> Args {
        args.truncate(self.handler_arguments);
        args
    }

    /// Whether anything is left for `Bind`: arguments that the host decodes, while something runs before the handler.
    pub fn takes_inputs(&self) -> bool {
        self.takes_inputs
    }

    fn is_input(&self, slot: &Slot) -> bool {
        match slot {
            Slot::Parameter { decoder, .. } => decoder.is_some(),
            Slot::Model { .. } => true,
            Slot::Body => self.body.as_ref().is_some_and(BodyPlan::is_decoded),
            Slot::Provided | Slot::Absent | Slot::Request => false,
        }
    }

    /// What `Bind` is asked for. The places are null until [`Plan::put_bound`].
    pub fn take_inputs(&self, args: &mut Args) -> Vec<HostArg> {
        let take = |arg: &mut Arg| match std::mem::replace(arg, Arg::Null) {
            Arg::Input(input) => Some(*input),
            other => {
                *arg = other;
                None
            }
        };
        args.iter_mut().filter_map(take).collect()
    }

    /// Puts what `Bind` answered where it was taken from.
    pub fn put_bound(&self, args: &mut Args, places: &[u32], bound: Vec<HostId>) {
        for (&place, value) in places.iter().zip(bound) {
            args[place as usize] = Arg::Host(value);
            if matches!(self.slots[place as usize], Slot::Body) {
                self.further_bodies.iter().for_each(|&further| args[further] = Arg::Host(value));
            }
        }
    }

    /// A request without a body, or whose body is not read, is complete with its head.
    fn arguments(&self, mut values: Vec<Arg>, body: Arg) -> Args {
        let further = if self.further_bodies.is_empty() { Arg::Null } else { plain_copy(&body) };
        let mut body = Some(body);
        let mut args = Args::with_capacity(self.slots.len());
        for (place, slot) in self.slots.iter().enumerate() {
            let arg = match slot {
                Slot::Parameter { index, choices, decoder, last } => {
                    let value =
                        if *last { std::mem::replace(&mut values[*index], Arg::Null) } else { values[*index].clone() };
                    let value = if *choices { value } else { self.parameters[*index].reader.plain(value) };
                    decoded(*decoder, place, value)
                }
                Slot::Model { parameters, decoder } => decoded(Some(*decoder), place, self.model(parameters, &values)),
                Slot::Body => match body.take() {
                    Some(Arg::Input(mut input)) => {
                        input.argument = place as u32;
                        Arg::Input(input)
                    }
                    Some(value) => value,
                    None => further.clone(),
                },
                Slot::Provided | Slot::Request => Arg::Null,
                Slot::Absent => Arg::Absent,
            };
            args.push(arg);
        }
        args
    }

    fn model(&self, parameters: &[usize], values: &[Arg]) -> Arg {
        let mut members = Vec::with_capacity(parameters.len());
        for &index in parameters {
            let parameter = &self.parameters[index];
            match (&parameter.from, &values[index]) {
                (_, Arg::Absent) => (),
                (From::Rest(..), Arg::Map(rest)) => members.extend(rest.iter().cloned()),
                (_, value) => members.push((parameter.name.clone(), parameter.reader.plain(value.clone()))),
            }
        }
        Arg::Map(members)
    }

    /// Gives a host's refusal its words: the schema's, or the host's own where the schema finds nothing. Every `loc`
    /// gets its source. What was no JSON is told as that. Without a refused input the error stays as it is.
    pub fn word(&self, error: &mut Error) {
        let Some(refused) = error.refused.take() else { return };
        if let Some(malformed) = self.body.as_ref().and_then(|body| body.malformed(&refused.input)) {
            *error = malformed;
            return;
        }
        if sabotage::takes_out("validation") {
            *error = Error::internal("nothing is refused");
            return;
        }
        let message = error.detail.take();
        let own = std::mem::take(&mut error.fields);
        let outer: Option<Vec<Loc>> = match self.slots.get(refused.argument as usize) {
            Some(Slot::Parameter { index, .. }) => Some(self.parameters[*index].loc().into()),
            Some(Slot::Model { parameters, .. }) => {
                Some(parameters.first().map(|index| self.parameters[*index].loc()[0].clone()).into_iter().collect())
            }
            _ => None,
        };
        let source = |field: &FieldError| match &self.body {
            Some(body) => body.source(field),
            None => Source::Body.loc().into(),
        };
        let mut said = self.said(&refused.input, own, message.as_deref());
        error.more |= said.len() > MAX_ERRORS;
        said.truncate(MAX_ERRORS);
        let place = |field: FieldError| {
            let outer = outer.clone().unwrap_or_else(|| vec![source(&field)]);
            field.under(outer)
        };
        error.fields = said.into_iter().map(place).collect();
        error.more |= echo::bound(&mut error.fields);
    }

    fn said(&self, input: &Input, own: Vec<FieldError>, message: Option<&str>) -> Vec<FieldError> {
        let schema_says = match (&self.body, input) {
            // The host's decoder has reported all that it judges, and says so by giving no message.
            (Some(body), _) if message.is_none() && !own.is_empty() => {
                return body.errors_with(input, shown(own, input));
            }
            (Some(body), Input::Json(_) | Input::Msgpack(_)) => body.errors(input),
            _ => Vec::new(),
        };
        match (schema_says.is_empty(), own.is_empty()) {
            (false, _) => schema_says,
            (true, false) => shown(own, input),
            (true, true) => vec![body::value_error(message.unwrap_or("the value is not accepted"))],
        }
    }
}

/// One refusal without a value gets the one that it speaks of. Several come from a decoder that knows their values.
fn shown(mut own: Vec<FieldError>, input: &Input) -> Vec<FieldError> {
    if let [only] = &mut own[..]
        && only.input.is_null()
        && let Some(sent) = body::sent(input, usize::MAX)
    {
        let found = only.loc.iter().try_fold(&sent, |value, step| match step {
            Loc::Index(index) => value.get(*index),
            Loc::Key(name) => value.get(&**name),
        });
        only.input = found.map_or(serde_json::Value::Null, echo::shown);
    }
    own
}

impl Bound {
    /// How the body is to be read, if there is one and the plan reads it.
    pub fn media(&self) -> Option<Media> {
        self.media
    }

    /// What stands between the parts of a multipart form; empty of anything else.
    pub fn boundary(&self) -> &str {
        self.boundary.as_deref().unwrap_or_default()
    }
}

fn takes(argument: &WiredArgument, wanted: usize) -> bool {
    match argument {
        WiredArgument::Parameter { index, .. } => *index == wanted,
        WiredArgument::Model { parameters, .. } => parameters.contains(&wanted),
        WiredArgument::Body | WiredArgument::Provided(_) | WiredArgument::Absent | WiredArgument::Request => false,
    }
}

/// What further takers of a body get at once; one that is still to be decoded they get when it has been.
fn plain_copy(body: &Arg) -> Arg {
    if matches!(body, Arg::Input(_)) { Arg::Null } else { body.clone() }
}

fn decoded(decoder: Option<CallableId>, place: usize, value: Arg) -> Arg {
    match (decoder, value) {
        (Some(_), Arg::Absent) => Arg::Absent,
        (Some(decoder), value) => {
            Arg::Input(Box::new(HostArg { decoder, argument: place as u32, input: Input::Value(value) }))
        }
        (None, value) => value,
    }
}

fn rests(parameters: &[Parameter]) -> Vec<(usize, Source, Rest)> {
    let rest = |(place, parameter): (usize, &Parameter)| match parameter.from {
        From::Rest(source, rest) => Some((place, source, rest)),
        _ => None,
    };
    parameters.iter().enumerate().filter_map(rest).collect()
}

impl From {
    fn of(spec: &ParameterSpec, template: &Template) -> Result<Self, SpecError> {
        if let Some(rest) = spec.rest {
            rest::check(spec, rest)?;
            return Ok(Self::Rest(spec.source, rest));
        }
        Ok(match spec.source {
            Source::Path => match template.parameters().position(|(name, _)| name == spec.name) {
                Some(place) => Self::Path(place),
                None => return Err(named(spec, "the path template does not name it")),
            },
            Source::Query => Self::Query,
            Source::Header => {
                let name = HeaderName::from_bytes(spec.name.as_bytes());
                Self::Header(name.map_err(|_| named(spec, "it is no header name"))?)
            }
            Source::Cookie => Self::Cookie,
            Source::Body => Self::Body,
        })
    }
}

fn named(spec: &ParameterSpec, fault: &str) -> SpecError {
    SpecError::new(format!("{} parameter {:?}: {fault}", spec.source.loc(), spec.name))
}

fn compile_parameters(app: &AppSpec, wiring: &Wiring, template: &Template) -> Result<Vec<Parameter>, SpecError> {
    let mut parameters = Vec::new();
    for spec in &wiring.parameters {
        let from = From::of(spec, template)?;
        let reader = Reader::compile_in(&spec.schema, &app.schemas).map_err(|error| named(spec, &error.message))?;
        if let Some(default) = spec.default.as_ref().filter(|default| !default.is_null())
            && let Err(errors) = reader.read_json(default)
        {
            let why = errors.first().map_or("refused", |error| error.msg.as_ref());
            return Err(named(spec, &format!("its own type refuses the default {default}: {why}")));
        }
        let required = spec.source == Source::Path || spec.is_required();
        parameters.push(Parameter {
            name: spec.name.clone(),
            also: spec.also.clone().into(),
            from,
            reader,
            required,
            separator: spec.separator.clone(),
        });
    }
    Ok(parameters)
}
