//! What pydantic calls the members of a union in an error's `loc`.

use super::scalar::Scalar;
use crate::{FieldError, Loc, words::quoted};

/// The label of one member.
pub(crate) fn label(scalar: &Scalar) -> String {
    let constrained = |name: &str, plain: bool| if plain { name.to_owned() } else { format!("constrained-{name}") };
    match scalar {
        Scalar::Int(rules) => constrained("int", rules.is_empty()),
        Scalar::Float(rules) => constrained("float", rules.is_empty()),
        Scalar::Str(rules) => constrained("str", rules.is_empty()),
        Scalar::Bytes(rules) => constrained("bytes", rules.is_empty()),
        Scalar::Decimal(_) => "decimal".to_owned(),
        Scalar::Bool => "bool".to_owned(),
        Scalar::Uuid(_) => "uuid".to_owned(),
        Scalar::Temporal(kind, _) => kind.label().to_owned(),
        Scalar::Null => "none".to_owned(),
        Scalar::Any => "any".to_owned(),
        Scalar::Choice(choices) if choices.is_literal() => {
            let values: Vec<String> = choices.values().iter().map(quoted).collect();
            format!("literal[{}]", values.join(","))
        }
        Scalar::Choice(choices) => format!("enum[{}]", choices.name().unwrap_or_default()),
        Scalar::Union(members) => {
            let members: Vec<String> = members.iter().map(label).collect();
            format!("union[{}]", members.join(","))
        }
    }
}

/// Puts a label before the errors of a member.
pub(crate) fn under(label: &str, errors: Vec<FieldError>) -> Vec<FieldError> {
    errors.into_iter().map(|error| error.under([Loc::from(label.to_owned())])).collect()
}
