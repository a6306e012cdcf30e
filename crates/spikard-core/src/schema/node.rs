//! A schema taken apart into what has words: scalars, arrays, objects, alternatives. References are indexes, so that a
//! schema may refer to itself.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::compile::Compiler;
use crate::{
    SpecError,
    parameter::{Matcher, Scalar, Size},
};

/// A place in [`Nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(pub(super) usize);

/// All subschemas of one document.
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    /// What the choices of scalars count in.
    pub(super) choices: Vec<Value>,
}

impl Nodes {
    /// Takes a document apart. `lax`: pointers to the parts that a lax decoder reads, or does not inside such a one.
    pub(super) fn compile(
        document: &Value,
        as_written: bool,
        assert_formats: bool,
        lax: &BTreeMap<String, bool>,
    ) -> Result<Self, SpecError> {
        let none = Map::new();
        Compiler::new(document, &none, as_written, assert_formats).with_lax(lax)?.run()
    }

    pub(super) const ROOT: NodeId = NodeId(0);

    /// Whether a lax decoder reads the whole.
    pub(super) fn is_lax(&self) -> bool {
        self.all[Self::ROOT.0].lax == Some(true)
    }
}

/// One subschema. All that is there applies.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What a reference called it.
    pub(super) name: Option<String>,
    pub(super) reference: Option<NodeId>,
    /// Whether `type` is given, so that a value of another type is refused; else a shape only judges its own type.
    pub(super) typed: bool,
    pub(super) shapes: Vec<Shape>,
    pub(super) all_of: Vec<NodeId>,
    pub(super) any_of: Vec<NodeId>,
    pub(super) one_of: Vec<NodeId>,
    pub(super) tagged: Option<Tagged>,
    /// Whether a lax decoder reads the value; none: as the value around it.
    pub(super) lax: Option<bool>,
    /// In a form it is a file: text of a media type that no coding makes into text.
    pub(super) file: bool,
}

impl Node {
    /// Whether it is one thing only: a reference, alternatives, or a shape. No file.
    pub(super) fn says_one_thing(&self) -> bool {
        let more = self.file || self.tagged.is_some() || !(self.all_of.is_empty() && self.one_of.is_empty());
        let said = usize::from(self.reference.is_some()) + usize::from(!self.any_of.is_empty()) + self.shapes.len();
        !more && said == 1
    }
}

/// What values of one JSON type have to be.
#[derive(Debug)]
pub(super) enum Shape {
    Scalar(Scalar),
    Array(ArrayRules),
    Object(ObjectRules),
}

/// `prefixItems`, `items` and how many.
#[derive(Debug)]
pub(super) struct ArrayRules {
    pub(super) size: Size,
    pub(super) places: Vec<NodeId>,
    pub(super) rest: Rest,
}

impl ArrayRules {
    /// What the item of a place has to be.
    pub(super) fn item(&self, place: usize) -> Option<NodeId> {
        match (self.places.get(place), self.rest) {
            (Some(node), _) => Some(*node),
            (None, Rest::Each(node)) => Some(node),
            (None, _) => None,
        }
    }
}

/// `items`, and `additionalProperties`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Anything,
    Nothing,
    Each(NodeId),
}

/// `properties`, and what is known of all others.
#[derive(Debug)]
pub(super) struct ObjectRules {
    /// Whether members are named: a model, else a map.
    pub(super) is_model: bool,
    /// As declared; then those that are only required.
    pub(super) members: Vec<Member>,
    /// From a member's name to its place.
    pub(super) places: HashMap<String, usize>,
    /// A member that, where it is sent, makes others required.
    pub(super) dependents: Vec<(String, Vec<String>)>,
    pub(super) patterns: Vec<(Matcher, NodeId)>,
    pub(super) rest: Rest,
}

/// A declared member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) node: Option<NodeId>,
    pub(super) required: bool,
}

/// Alternatives that one member of the object tells apart.
#[derive(Debug)]
pub(super) struct Tagged {
    pub(super) property: String,
    pub(super) tags: Vec<(String, NodeId)>,
}
