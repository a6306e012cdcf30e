//! Where a refusal stands among others: fields as declared, items as sent.

use super::{
    Schema,
    node::{NodeId, Nodes, ObjectRules, Shape},
};
use crate::{FieldError, Loc};

/// References and alternatives that are followed to find a member.
const MAX_DEPTH: usize = 16;

impl Schema {
    /// Puts refusals of several judges in one order. What is not declared stands behind what is, in the order that it has.
    pub(crate) fn sort(&self, errors: &mut [FieldError]) {
        errors.sort_by_cached_key(|error| self.rank(&error.loc));
    }

    fn rank(&self, loc: &[Loc]) -> Vec<usize> {
        let mut here = Some(Nodes::ROOT);
        let step = |step: &Loc| {
            let found = here.and_then(|node| self.step(node, step, 0));
            here = found.and_then(|(_, node)| node);
            match (found, step) {
                (Some((place, _)), _) => place,
                (None, Loc::Index(place)) => *place,
                (None, Loc::Key(_)) => usize::MAX,
            }
        };
        loc.iter().map(step).collect()
    }

    /// The place of a member or an item among its own, and what it has to be.
    fn step(&self, id: NodeId, step: &Loc, depth: usize) -> Option<(usize, Option<NodeId>)> {
        let node = &self.nodes.all[id.0];
        let own = node.shapes.iter().find_map(|shape| match (shape, step) {
            (Shape::Object(ObjectRules { members, places, .. }), Loc::Key(name)) => {
                places.get(&**name).map(|place| (*place, members[*place].node))
            }
            (Shape::Array(rules), Loc::Index(place)) => Some((*place, rules.item(*place))),
            _ => None,
        });
        let tags = node.tagged.iter().flat_map(|tagged| tagged.tags.iter().enumerate());
        let mut tagged = tags.filter(|(_, (tag, _))| matches!(step, Loc::Key(name) if name == tag));
        let own = own.or_else(|| tagged.next().map(|(place, (_, node))| (place, Some(*node))));
        let mut further = node.reference.iter().chain(&node.all_of).chain(&node.any_of).chain(&node.one_of);
        own.or_else(|| further.find_map(|id| (depth < MAX_DEPTH).then(|| self.step(*id, step, depth + 1))?))
    }
}
