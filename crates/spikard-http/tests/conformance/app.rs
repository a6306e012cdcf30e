//! A case's app: the document for the core, and the user code that its scripts stand for.

use serde_json::{Map, Value, json};
use spikard_core::{Error, HostId, SpecError, parameter::Reader, spec::AppSpec};

use crate::{
    case::Case,
    hook,
    host::{Code, Route},
    json::Json,
    model::Model,
    provide::{dependencies, needs, take},
};

/// What one argument of a handler is, for `echo`.
pub enum Argument {
    Parameter { name: String, schema: Value, choices: Vec<Value>, default: Option<Json> },
    Body(Option<Model>),
    Provided { name: String, constant: Option<Json> },
    Request,
}

/// The document and the user code of a case.
pub fn build(case: &Case, models: &Json) -> Result<(AppSpec, Code), SpecError> {
    let app = case.json.get("app").expect("a valid case");
    let (mut routes, mut code) = (Vec::new(), Code::default());
    let of_app = hook::hooks(app, &mut code.hooks);
    for (number, route) in case.routes().iter().enumerate() {
        let (parameters, mut wired, mut arguments) = parameters(route)?;
        let mut spec = json!({"method": route.text_of("method"), "path": route.text_of("path"), "handler": number,
            "parameters": parameters, "options": route.get("options").map_or_else(|| json!({}), Json::to_value),
            "hooks": hook::hooks(route, &mut code.hooks), "dependencies": needs(case, route)});
        if let Some(body) = route.get("body") {
            let (body, model) = body_spec(body, models, number);
            spec["body"] = body;
            wired.push(json!("body"));
            arguments.push(Argument::Body(model));
        }
        promise(route, &mut spec);
        take(case, route, &mut wired, &mut arguments);
        if route.get("request") == Some(&Json::Bool(true)) {
            wired.push(json!("request"));
            arguments.push(Argument::Request);
        }
        spec["arguments"] = wired.into();
        routes.push(spec);
        let status = route.get("status_code").and_then(Json::status).unwrap_or(200);
        code.routes.push(Route { arguments, status, script: route.get("script").expect("a valid case").clone() });
    }
    let config = app.get("config").map_or_else(|| json!({}), Json::to_value);
    let recover = hook::recover(app, &mut code.handlers);
    let provided = dependencies(case, &mut code.dependencies)?;
    let document = json!({"routes": routes, "hooks": of_app, "recover": recover, "dependencies": provided,
        "config": {"given": config}});
    Ok((AppSpec::from_json(document.to_string().as_bytes())?, code))
}

/// What the document says of answers.
fn promise(route: &Json, spec: &mut Value) {
    if let Some(promised) = route.get("response_schema") {
        spec["response_schema"] = promised.to_value();
    }
    if let Some(Json::Map(promised)) = route.get("responses") {
        let said = promised.iter().map(|(status, schema)| (status.clone(), json!({"schema": schema.to_value()})));
        spec["responses"] = Value::Object(said.collect());
    }
}

/// What is sent, what the document says of the call, and what `echo` knows of it.
pub type Wired = (Vec<Value>, Vec<Value>, Vec<Argument>);

/// The parameters of a route or of a dependency: on the wire, in the call, and for `echo`.
pub fn parameters(spec: &Json) -> Result<Wired, SpecError> {
    let (mut sent, mut wired, mut arguments) = (Vec::new(), Vec::new(), Vec::new());
    for (index, parameter) in spec.get("parameters").map_or(&[][..], Json::items).iter().enumerate() {
        sent.push(without(parameter.to_value(), &["as"]));
        if parameter.text_of("rest") == Some("refused") {
            continue;
        }
        let argument = parameter_argument(parameter)?;
        let named = matches!(&argument, Argument::Parameter { schema, .. } if schema.to_string().contains("\"$ref\""));
        wired.push(json!({"parameter": {"index": index, "choices": named}}));
        arguments.push(argument);
    }
    Ok((sent, wired, arguments))
}

fn without(mut value: Value, names: &[&str]) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
    value
}

fn parameter_argument(parameter: &Json) -> Result<Argument, SpecError> {
    let name = parameter.text_of("as").or(parameter.text_of("name")).expect("a valid case").to_owned();
    let schema = parameter.get("schema").map_or_else(|| json!({"type": "string"}), Json::to_value);
    let choices = Reader::compile(&schema)?.choices().to_vec();
    let default = parameter.get("default").map(|default| Model::new(&schema).write(default, &schema));
    Ok(Argument::Parameter { name, schema, choices, default })
}

/// A typed body is left to the driver's decoder, whose number is the route's.
fn body_spec(body: &Json, models: &Json, number: usize) -> (Value, Option<Model>) {
    let mut spec = json!({"kind": body.text_of("kind").unwrap_or("json-or-form")});
    if let Some(required) = body.get("required") {
        spec["required"] = required.to_value();
    }
    let Some(name) = body.text_of("type") else {
        for member in ["schema", "reading"] {
            if let Some(value) = body.get(member) {
                spec[member] = value.to_value();
            }
        }
        return (spec, None);
    };
    let model = models.get(name).and_then(|model| model.get("schema")).expect("a known model");
    let mut schema = model.to_value();
    if body.get("list") == Some(&Json::Bool(true)) {
        schema = list_of(schema);
    }
    spec["schema"] = schema.clone();
    for decoder in ["decoder", "msgpack_decoder", "value_decoder"] {
        spec[decoder] = number.into();
    }
    (spec, Some(Model::new(&schema)))
}

fn list_of(mut item: Value) -> Value {
    let definitions = item.as_object_mut().and_then(|item| item.remove("$defs")).unwrap_or(Value::Object(Map::new()));
    json!({"type": "array", "items": item, "$defs": definitions})
}

/// Stands for whatever object user code raises.
pub const RAISED: HostId = HostId(0);

/// An ordinary exception of user code.
pub fn exception(message: &str) -> Error {
    let mut error = Error::internal(message.to_owned());
    error.exception = Some(RAISED);
    error
}
