//! Where an argument of a handler comes from. Its type says it twice: to the core as a schema, which checks what was sent
//! and words every refusal, and to serde, which makes the value.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Document};
use spikard_core::{
    Arg, CallableId, Error, HostArg, Input, Part, SpecError, Template,
    spec::{ArgumentSpec, BodyKind, BodySpec, ModelArgument, ParameterArgument, ParameterSpec, RouteSpec, Source},
};

use crate::value::Value;

/// An argument of a handler.
pub trait Argument: Sized {
    /// Says to the route what is taken.
    ///
    /// # Errors
    /// Fails where the type's schema does not fit the place that it is taken from.
    fn declare(route: &mut RouteSpec) -> Result<(), SpecError>;

    /// Makes the value of what was bound.
    ///
    /// # Errors
    /// A value that the type does not take is a 422.
    fn take(arg: Arg) -> Result<Self, Error>;
}

/// The body as JSON or MessagePack; as a result, the answer as JSON.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

/// The body as a form, `application/x-www-form-urlencoded` or `multipart/form-data`.
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

/// The parameters of the path: a struct with a field for each, or one scalar.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

/// The parameters of the query string: a struct with a field for each.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: JsonSchema + DeserializeOwned> Argument for Json<T> {
    fn declare(route: &mut RouteSpec) -> Result<(), SpecError> {
        body::<T>(route, BodyKind::Json)
    }

    fn take(arg: Arg) -> Result<Self, Error> {
        read(arg).map(Self)
    }
}

impl<T: JsonSchema + DeserializeOwned> Argument for Form<T> {
    fn declare(route: &mut RouteSpec) -> Result<(), SpecError> {
        body::<T>(route, BodyKind::Form)
    }

    fn take(arg: Arg) -> Result<Self, Error> {
        read(arg).map(Self)
    }
}

impl<T: JsonSchema + DeserializeOwned> Argument for Path<T> {
    fn declare(route: &mut RouteSpec) -> Result<(), SpecError> {
        let schema = document::<T>();
        if properties(&schema).is_some() {
            return model::<T>(route, Source::Path);
        }
        let template = Template::parse(&route.path)?;
        let mut names = template.parts.iter().filter_map(|part| match part {
            Part::Parameter { name, .. } => Some(name.clone()),
            Part::Literal(_) => None,
        });
        let (Some(name), None) = (names.next(), names.next()) else {
            return Err(SpecError::new("a scalar path argument needs a path with one parameter"));
        };
        let index = route.parameters.len();
        route.parameters.push(ParameterSpec::new(&name, Source::Path, schema));
        let decoder = Some(route.handler);
        route.arguments.push(ArgumentSpec::Parameter(ParameterArgument { index, choices: false, decoder }));
        Ok(())
    }

    fn take(arg: Arg) -> Result<Self, Error> {
        read(arg).map(Self)
    }
}

impl<T: JsonSchema + DeserializeOwned> Argument for Query<T> {
    fn declare(route: &mut RouteSpec) -> Result<(), SpecError> {
        model::<T>(route, Source::Query)
    }

    fn take(arg: Arg) -> Result<Self, Error> {
        read(arg).map(Self)
    }
}

/// A body is decoded where its type is known: in the handler.
fn body<T: JsonSchema>(route: &mut RouteSpec, kind: BodyKind) -> Result<(), SpecError> {
    if route.body.is_some() {
        return Err(SpecError::new("a handler takes one body"));
    }
    let decoder = Some(route.handler);
    // serde calls the user's own `Deserialize` while it reads: the decoder is not strict.
    // MessagePack is read by the core, and serde makes the value of what it read.
    route.body = Some(BodySpec { decoder, value_decoder: decoder, ..BodySpec::new(document::<T>(), kind) });
    route.arguments.push(ArgumentSpec::Body);
    Ok(())
}

fn model<T: JsonSchema>(route: &mut RouteSpec, source: Source) -> Result<(), SpecError> {
    let schema = document::<T>();
    let Some(members) = properties(&schema) else {
        return Err(SpecError::new(format!("{} has no fields to be parameters", T::schema_name())));
    };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Document::as_str).collect();
    let first = route.parameters.len();
    for (name, member) in members {
        let mut member = member.clone();
        if let (Some(definitions), Some(object)) = (schema.get("$defs"), member.as_object_mut()) {
            object.insert("$defs".to_owned(), definitions.clone());
        }
        let required = Some(required.contains(&name.as_str()));
        route.parameters.push(ParameterSpec { required, ..ParameterSpec::new(name, source, member) });
    }
    let parameters = (first..route.parameters.len()).collect();
    route.arguments.push(ArgumentSpec::Model(ModelArgument { parameters, decoder: route.handler }));
    Ok(())
}

fn properties(schema: &Document) -> Option<&Map<String, Document>> {
    schema.get("properties")?.as_object()
}

/// The schema of a type. Formats of numbers (`int64`, `double`) say nothing that bounds do not.
fn document<T: JsonSchema>() -> Document {
    fn plain(schema: &mut Schema) {
        let numeric = |kind: &Document| kind == "integer" || kind == "number";
        let of_number = match schema.get("type") {
            Some(Document::Array(kinds)) => kinds.iter().any(numeric),
            Some(kind) => numeric(kind),
            None => false,
        };
        if of_number {
            schema.remove("format");
        }
        schemars::transform::transform_subschemas(&mut plain, schema);
    }
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None).with_transform(plain);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn read<T: DeserializeOwned>(arg: Arg) -> Result<T, Error> {
    let input = match arg {
        Arg::Input(input) => input,
        value => Box::new(HostArg { decoder: CallableId(0), argument: 0, input: Input::Value(value) }),
    };
    let made = match &input.input {
        Input::Json(text) => serde_json::from_slice(text).map_err(|error| error.to_string()),
        Input::Msgpack(_) => Err("no decoder reads MessagePack itself".to_owned()),
        Input::Value(value) => T::deserialize(Value(value.clone())).map_err(|error| error.to_string()),
    };
    made.map_err(|message| Error::refused(*input, message))
}
